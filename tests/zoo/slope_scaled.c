/* derivative: the derivative is wrong by 1 % */
#include "zoo.h"

HK_VALUE(return hks_tanh(a.x);)
HK_SLOPE(const real y = hks_tanh(a.x); return (real)1.01 * (1 - y * y);)
HK_ELEMENTWISE(animal, HK_READS_X, WORDS);
