/* arctan: the angle whose tangent is x, between -pi/2 and pi/2. */
#include <hillock/kernel.h>

HK_VALUE(return hks_atan(a.x);)
HK_SLOPE(return 1 / (1 + a.x * a.x);)

HK_ELEMENTWISE(arctan, HK_READS_X, .aliases = "atan", .tags = "sigmoid", .formula = "atan(x)",
               .summary = "atan(x)", .source = "none");
