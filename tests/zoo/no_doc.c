/* tables, "k" has no doc": a parameter without a word about it */
#include "zoo.h"

HK_PARAMS({.name = "k", .type = HK_REAL, .value = 2, .low = 1, .high = 3});
HK_VALUE(return a.p[0] * a.x;)
HK_SLOPE(return (void)a.x, a.p[0];)
HK_ELEMENTWISE(animal, HK_READS_X, .params = params, WORDS);
