/* relu_bsilu: relu with a surrogate gradient, the slope of b_silu, (x + a) sigmoid(x) - a/2, which
 * never lets a unit die.
 * Horuz et al. 2025, arXiv:2505.22074, "The resurrection of the ReLU" (SUGAR). */
#include <hillock/kernel.h>

HK_PARAMS({.name = "a",
           .doc = "shift of the surrogate",
           .type = HK_REAL,
           .value = 1.67,
           .low = 0,
           .high = 10});

HK_VALUE(return a.x < 0 ? 0 : a.x;)
HK_SLOPE(const real bent = hks_sigmoid(a.x) * (1 + (a.x + a.p[0]) * hks_sigmoid(-a.x));
         const real step = a.x > 0 ? 1 : 0; return step + (real)a.surrogate * (bent - step);)

HK_ELEMENTWISE(relu_bsilu, HK_READS_X | HK_SURROGATE, .aliases = "sugar", .tags = "core,surrogate",
               .params = params, .formula = "max(0, x)",
               .summary = "max(0, x) with the slope of b_silu", .source = "Horuz et al. 2025");
