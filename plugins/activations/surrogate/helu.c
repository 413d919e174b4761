/* helu: relu whose gradient passes down to x = -alpha, so that a unit has to go further to die.
 * Kimhi et al. 2024, arXiv:2411.10573, "Hysteresis activation function for efficient inference". */
#include <hillock/kernel.h>

HK_PARAMS({.name = "alpha",
           .doc = "how far below 0 the gradient passes",
           .type = HK_REAL,
           .value = 0.05,
           .low = 0,
           .high = 100});

HK_VALUE(return a.x < 0 ? 0 : a.x;)
HK_SLOPE(return a.x > (a.surrogate ? -a.p[0] : 0) ? 1 : 0;)

HK_ELEMENTWISE(helu, HK_READS_X | HK_SURROGATE, .aliases = "hysteresis_relu", .tags = "surrogate",
               .params = params, .formula = "max(0, x)",
               .summary = "max(0, x) with the slope x > -alpha", .source = "Kimhi et al. 2024");
