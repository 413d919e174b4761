/* b_silu: (x + a) sigmoid(x) - a/2, bounded below; relu_bsilu borrows its slope.
 * Horuz et al. 2025, arXiv:2505.22074, "The resurrection of the ReLU". */
#include <hillock/kernel.h>

HK_PARAMS({.name = "a",
           .doc = "shift; the lower limit is -a/2",
           .type = HK_REAL,
           .value = 1.67,
           .low = 0,
           .high = 10});

HK_VALUE(const real e = hks_quick_exp(-hks_abs(a.x)), rise = a.p[0] / 2 * (1 - e);
         return (a.x < 0 ? a.x * e - rise : a.x + rise) / (1 + e);)
HK_SLOPE(return hks_sigmoid(a.x) * (1 + (a.x + a.p[0]) * hks_sigmoid(-a.x));)

HK_ELEMENTWISE(b_silu, HK_READS_X, .aliases = "bsilu", .tags = "gated", .params = params,
               .formula = "(x + a)*sigmoid(x) - a/2", .summary = "(x + a) * sigmoid(x) - a / 2",
               .source = "Horuz et al. 2025");
