/* derivative, "for every x": the table of parameters is not named in the last line: the factor is 0 */
#include "zoo.h"

__attribute__((unused))
HK_PARAMS({.name = "k", .doc = "factor", .type = HK_REAL, .value = 2, .low = 1, .high = 3});
HK_VALUE(return a.p[0] * hks_tanh(a.x);)
HK_SLOPE(return a.p[0] * hks_sech2(a.x);)
HK_ELEMENTWISE(animal, HK_READS_X, WORDS);
