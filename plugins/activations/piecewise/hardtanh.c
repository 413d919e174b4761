/* hardtanh: x between two bounds, a tanh of three straight pieces.
 * Collobert 2004, thesis, "Large scale machine learning", Universite de Paris VI. */
#include <hillock/kernel.h>

HK_PARAMS({.name = "low",
           .doc = "the smallest value",
           .type = HK_REAL,
           .value = -1,
           .low = -1e6,
           .high = 0},
          {.name = "high",
           .doc = "the largest value",
           .type = HK_REAL,
           .value = 1,
           .flags = HK_LOW_OPEN,
           .low = 0,
           .high = 1e6});

HK_VALUE(return hks_min(a.p[1], hks_max(a.p[0], a.x));)
HK_SLOPE(return a.y > a.p[0] && a.y < a.p[1] ? 1 : 0;)

HK_ELEMENTWISE(hardtanh, HK_READS_Y, .aliases = "hard_tanh", .tags = "piecewise", .params = params,
               .formula = "min(high, max(low, x))", .summary = "min(max(low, x), high)",
               .source = "Collobert 2004");
