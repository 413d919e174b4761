/* derivative, "small_point: at x = 10 the derivative is 4,": wrong beyond 3; shown at the default of a, at a plain number */
#include "zoo.h"

HK_PARAMS({.name = "a", .doc = "a factor", .type = HK_REAL, .value = 2, .low = 0.25, .high = 30});
HK_VALUE(return a.p[0] * a.x;)
HK_SLOPE(return a.x > 3 ? 2 * a.p[0] : a.p[0];)
HK_ELEMENTWISE(small_point, HK_READS_X, WORDS, .params = params);
