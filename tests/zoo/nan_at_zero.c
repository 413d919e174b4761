/* special, "NaN at x = 0": 0 times the logarithm of 0 */
#include "zoo.h"

HK_VALUE(return a.x * hks_log(a.x * a.x);)
HK_SLOPE(return hks_log(a.x * a.x) + 2;)
HK_ELEMENTWISE(animal, HK_READS_X, WORDS);
