/* good: a kink at 0, where any subgradient is right */
#include "zoo.h"

HK_VALUE(return hks_max(0, a.x);)
HK_SLOPE(return a.x > 0 ? 1 : a.x < 0 ? 0 : (real)0.5;)
HK_ELEMENTWISE(animal, HK_READS_X, WORDS);
