/* parameters, "its range allows": 1 / (k - 1), where 1 is between the ends of the range */
#include "zoo.h"

HK_PARAMS({.name = "k", .doc = "steepness", .type = HK_REAL, .value = 2, .low = 0, .high = 4});
HK_VALUE(return a.x / (a.p[0] - 1);)
HK_SLOPE(return 1 / (a.p[0] - 1);)
HK_ELEMENTWISE(animal, HK_READS_X, WORDS, .params = params);
