/* good: sign with a straight-through gradient, declared as a surrogate */
#include "zoo.h"

HK_VALUE(return a.x > 0 ? 1 : a.x < 0 ? -1 : a.x;)
HK_SLOPE(return a.surrogate && hks_abs(a.x) <= 1 ? 1 : 0;)
HK_ELEMENTWISE(animal, HK_READS_X | HK_SURROGATE, WORDS);
