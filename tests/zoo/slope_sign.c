/* derivative: the derivative has the wrong sign */
#include "zoo.h"

HK_VALUE(return hks_cos(a.x);)
HK_SLOPE(return hks_sin(a.x);)
HK_ELEMENTWISE(animal, HK_READS_X, WORDS);
