/* derivative, "x = -": the derivative is wrong only at negative x */
#include "zoo.h"

HK_VALUE(return a.x < 0 ? hks_expm1(a.x) : a.x;)
HK_SLOPE(return a.x < 0 ? hks_exp(a.x) - (real)0.05 : 1;)
HK_ELEMENTWISE(animal, HK_READS_X, WORDS);
