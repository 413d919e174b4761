/* ftswish: x sigmoid(x) + T where x >= 0, else T: a swish with a flat negative side.
 * Chieng, Wahid, Pauline, Perla 2018, arXiv:1812.06247. */
#include <hillock/kernel.h>

HK_PARAMS({.name = "t",
           .doc = "the value at 0 and below",
           .type = HK_REAL,
           .value = -0.2,
           .low = -10,
           .high = 10});

HK_VALUE(return (a.x < 0 ? 0 : a.x * hks_quick_sigmoid(a.x)) + a.p[0];)
HK_SLOPE(return a.x < 0 ? 0 : hks_quick_sigmoid(a.x) * (1 + a.x * hks_quick_sigmoid(-a.x));)

HK_ELEMENTWISE(ftswish, HK_READS_X, .aliases = "flatten_t_swish", .tags = "gated", .params = params,
               .formula = "x < 0 ? t : x*sigmoid(x) + t",
               .summary = "x >= 0 ? x * sigmoid(x) + t : t",
               .source = "Chieng, Wahid, Pauline, Perla 2018");
