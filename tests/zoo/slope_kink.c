/* derivative, "at x = 0": what stands at the kink is no subgradient */
#include "zoo.h"

HK_VALUE(return hks_max(0, a.x);)
HK_SLOPE(return a.x > 0 ? 1 : a.x < 0 ? 0 : 2;)
HK_ELEMENTWISE(animal, HK_READS_X, WORDS);
