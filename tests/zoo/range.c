/* parameters, "its range allows": the range allows what divides by zero */
#include "zoo.h"

HK_PARAMS(
    {.name = "width", .doc = "of the bend", .type = HK_REAL, .value = 1, .low = 0, .high = 10});
HK_VALUE(return hks_tanh(a.x / a.p[0]) * a.p[0];)
HK_SLOPE(const real y = hks_tanh(a.x / a.p[0]); return (1 - y * y) / a.p[0] * a.p[0];)
HK_ELEMENTWISE(animal, HK_READS_X, .params = params, WORDS);
