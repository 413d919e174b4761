/* formula, "unknown name": a formula that calls its parameter otherwise */
#include "zoo.h"

HK_PARAMS({.name = "slope", .doc = "the factor", .type = HK_REAL, .value = 2});
HK_VALUE(return a.p[0] * a.x;)
HK_SLOPE(return a.p[0];)
HK_ELEMENTWISE(animal, HK_READS_X, WORDS, .params = params, .formula = "factor*x");
