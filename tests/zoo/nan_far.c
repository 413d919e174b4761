/* special, "NaN at x = ": an exponential divided by itself */
#include "zoo.h"

HK_VALUE(return hks_exp(a.x) / (1 + hks_exp(a.x));)
HK_SLOPE(const real e = hks_exp(a.x); return e / ((1 + e) * (1 + e));)
HK_ELEMENTWISE(animal, HK_READS_X, WORDS);
