/* soft_clipping: (softplus(alpha x) - softplus(alpha (x - 1))) / alpha, between 0 and 1. What the
 * two have in common is taken out: clip(x, 0, 1) plus two corrections that vanish far away.
 * Klimek, Perelstein 2020, arXiv:1810.11509; alpha = 50 there, too: at 1 nothing is clipped. */
#include <hillock/kernel.h>

HK_PARAMS({.name = "alpha",
           .doc = "sharpness of the bends",
           .type = HK_REAL,
           .flags = HK_LOW_OPEN,
           .value = 50,
           .low = 0,
           .high = 1000});

HK_VALUE(const real at_0 = hks_log1p_unit(hks_quick_exp(-a.p[0] * hks_abs(a.x)));
         const real at_1 = hks_log1p_unit(hks_quick_exp(-a.p[0] * hks_abs(a.x - 1)));
         return hks_min(1, hks_max(0, a.x)) + (at_0 - at_1) * (1 / a.p[0]);)
HK_SLOPE(return hks_sigmoid(a.p[0] * a.x) - hks_sigmoid(a.p[0] * (a.x - 1));)

HK_ELEMENTWISE(
    soft_clipping, HK_READS_X, .tags = "softplus", .params = params,
    .formula =
        "min(1, max(0, x)) + (log1p(exp(-alpha*abs(x))) - log1p(exp(-alpha*abs(x - 1))))/alpha",
    .summary = "log((1 + exp(alpha x)) / (1 + exp(alpha (x - 1)))) / alpha",
    .source = "Klimek, Perelstein 2020");
