/* gelu: x Phi(x), Phi the normal distribution function, whose exponential the slope's density
 * shares.
 * Hendrycks, Gimpel 2016, arXiv:1606.08415. */
#include <hillock/kernel.h>

#define DENSITY_AT_0 0.39894228040143267794 /* 1 / sqrt(2 pi) */

HK_VALUE(return a.x * hks_normal_cdf(a.x);)
HK_SLOPE(const real bell = hks_bell(a.x);
         return hks_normal_cdf(a.x) + a.x * (real)DENSITY_AT_0 * bell;)

HK_ELEMENTWISE(gelu, HK_READS_X, .tags = "core,gated", .formula = "x*(1 + erf(x/sqrt(2)))/2",
               .summary = "x * Phi(x), Phi the normal distribution function",
               .source = "Hendrycks, Gimpel 2016");
