/* serf: x erf(softplus(x)), the log-softplus error activation.
 * Nag, Bhattacharyya 2021, arXiv:2108.09598. */
#include <hillock/kernel.h>

#define SQRT_2 1.41421356237309504880
#define TWO_OVER_SQRT_PI 1.12837916709551257390

HK_VALUE(return a.x * hks_erf(hks_softplus(a.x));)
HK_SLOPE(const real u = (real)SQRT_2 * hks_softplus(a.x), bell = hks_bell(u);
         const real erf = 2 * hks_normal_cdf(u) - 1;
         return erf + (real)TWO_OVER_SQRT_PI * bell * (a.x * hks_sigmoid(a.x));)

HK_ELEMENTWISE(serf, HK_READS_X, .tags = "gated", .formula = "x*erf(softplus(x))",
               .summary = "x * erf(log(1 + exp(x)))", .source = "Nag, Bhattacharyya 2021");
