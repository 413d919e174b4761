/* phish: x tanh(gelu(x)), nowhere negative.
 * Naveen 2022, "Phish: a novel activation function", TechRxiv. */
#include <hillock/kernel.h>

#define DENSITY_AT_0 0.39894228040143267794 /* 1 / sqrt(2 pi) */

HK_VALUE(return a.x * hks_tanh(a.x * hks_normal_cdf(a.x));)
HK_SLOPE(const real bell = hks_bell(a.x); const real gelu = a.x * hks_normal_cdf(a.x);
         const real slope = hks_normal_cdf(a.x) + a.x * (real)DENSITY_AT_0 * bell;
         const real e = hks_quick_exp(-2 * gelu), r = 1 / (1 + e);
         return (1 - e) * r + a.x * (4 * e * r * r) * slope;)

HK_ELEMENTWISE(phish, HK_READS_X, .tags = "gated", .formula = "x*tanh(x*(1 + erf(x/sqrt(2)))/2)",
               .summary = "x * tanh(gelu(x))", .source = "Naveen 2022");
