/* gelu: x Phi(x), Phi the normal distribution function, written with erfc so that the negative
 * tail does not cancel.
 * Hendrycks, Gimpel 2016, arXiv:1606.08415. */
#include <hillock/kernel.h>

#define SQRT_HALF 0.70710678118654752440
#define DENSITY_AT_0 0.39894228040143267794 /* 1 / sqrt(2 pi) */

HK_VALUE(return (real)0.5 * a.x * hks_erfc(-a.x * (real)SQRT_HALF);)
HK_SLOPE(const real tail = (real)0.5 * hks_erfc(-a.x * (real)SQRT_HALF);
         return tail + a.x * (real)DENSITY_AT_0 * hks_exp((real)-0.5 * a.x * a.x);)

HK_ELEMENTWISE(gelu, HK_READS_X,
               .summary = "x * Phi(x), Phi the normal distribution function",
               .source = "Hendrycks, Gimpel 2016");
