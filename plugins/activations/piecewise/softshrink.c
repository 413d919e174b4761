/* softshrink: x moved towards 0 by lambda, but not across it.
 * Donoho, Johnstone 1994, Biometrika 81(3), "Ideal spatial adaptation by wavelet shrinkage". */
#include <hillock/kernel.h>

HK_PARAMS({.name = "lambda",
           .doc = "how far x moves",
           .type = HK_REAL,
           .value = 0.5,
           .low = 0,
           .high = 1e6});

HK_VALUE(return a.x - hks_min(a.p[0], hks_max(-a.p[0], a.x));)
HK_SLOPE(return a.y == 0 ? 0 : 1;)

HK_ELEMENTWISE(softshrink, HK_READS_Y, .aliases = "soft_shrink", .tags = "piecewise",
               .params = params, .formula = "x - min(lambda, max(-lambda, x))",
               .summary = "x - min(max(-lambda, x), lambda)", .source = "Donoho, Johnstone 1994");
