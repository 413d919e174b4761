/* eswish: beta x sigmoid(x), a silu stretched upwards.
 * Alcaide 2018, arXiv:1801.07145, "E-swish: adjusting activations to different network depths". */
#include <hillock/kernel.h>

HK_PARAMS({.name = "beta",
           .doc = "the slope for large x; the author uses 1 to 2",
           .type = HK_REAL,
           .flags = HK_LOW_OPEN,
           .value = 1.375,
           .low = 0,
           .high = 100});

HK_VALUE(return a.p[0] * (a.x * hks_quick_sigmoid(a.x));)
HK_SLOPE(return a.p[0] * (hks_quick_sigmoid(a.x) * (1 + a.x * hks_quick_sigmoid(-a.x)));)

HK_ELEMENTWISE(eswish, HK_READS_X, .aliases = "e_swish", .tags = "gated", .params = params,
               .formula = "beta*x*sigmoid(x)", .summary = "beta * x * sigmoid(x)",
               .source = "Alcaide 2018");
