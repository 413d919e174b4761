/* random, "where its random number is 0": the logarithm of a draw */
#include "zoo.h"

HK_VALUE(return a.x + (a.training ? -hks_log(a.u) - 1 : 0);)
HK_SLOPE(return 1;)
HK_ELEMENTWISE(animal, HK_STOCHASTIC, WORDS);
