/* derivative, "integer_one:n=5": the derivative of one exponent of six */
#include "zoo.h"

HK_PARAMS({.name = "n", .doc = "an exponent", .type = HK_INTEGER, .value = 2, .low = 1, .high = 6});
HK_VALUE(real y = a.x; for (int k = 1; k < 6; k++) y *= (real)k < a.p[0] ? a.x : 1; return y;)
HK_SLOPE(real y = a.p[0] == 5 ? 4 : a.p[0];
         for (int k = 1; k < 6; k++) y *= (real)k < a.p[0] ? a.x : 1; return y;)
HK_ELEMENTWISE(integer_one, HK_READS_X, WORDS, .params = params);
