/* hardshrink: x, but 0 where it is small; it jumps at both ends. The slope can be read from y, as
 * nothing else gives 0.
 * Donoho, Johnstone 1994, Biometrika 81(3), "Ideal spatial adaptation by wavelet shrinkage". */
#include <hillock/kernel.h>

HK_PARAMS({.name = "lambda",
           .doc = "sizes up to it become 0",
           .type = HK_REAL,
           .value = 0.5,
           .low = 0,
           .high = 1e6});

HK_VALUE(return hks_abs(a.x) <= a.p[0] ? 0 : a.x;)
HK_SLOPE(return a.y == 0 ? 0 : 1;)

HK_ELEMENTWISE(hardshrink, HK_READS_Y, .aliases = "hard_shrink", .tags = "piecewise",
               .params = params, .formula = "abs(x) <= lambda ? 0 : x",
               .summary = "|x| > lambda ? x : 0", .source = "Donoho, Johnstone 1994");
