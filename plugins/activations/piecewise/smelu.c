/* smelu: relu with a parabola between -beta and beta, so that the slope is continuous.
 * Shamir, Lin, Coviello 2020, arXiv:2010.09931, "Smooth activations and reproducibility in deep
 * networks" */
#include <hillock/kernel.h>

HK_PARAMS({.name = "beta",
           .doc = "half the width of the bend",
           .type = HK_REAL,
           .flags = HK_LOW_OPEN,
           .value = 2,
           .low = 0,
           .high = 1000});

HK_VALUE(const real z = hks_max(-a.p[0], a.x) + a.p[0];
         return a.x >= a.p[0] ? a.x : z * z * (1 / (4 * a.p[0]));)
HK_SLOPE(return hks_min(1, hks_max(0, (a.x + a.p[0]) * (1 / (2 * a.p[0]))));)

HK_ELEMENTWISE(smelu, HK_READS_X, .tags = "piecewise", .params = params,
               .formula = "x >= beta ? x : max(0, x + beta)^2/(4*beta)",
               .summary = "0, (x + beta)^2 / (4 beta) for |x| < beta, x",
               .source = "Shamir, Lin, Coviello 2020");
