/* serf: x erf(softplus(x)), the log-softplus error activation.
 * Nag, Bhattacharyya 2021, arXiv:2108.09598. */
#include <hillock/kernel.h>

#define TWO_OVER_SQRT_PI 1.12837916709551257390

HK_VALUE(return a.x * hks_erf(hks_softplus(a.x));)
HK_SLOPE(const real u = hks_softplus(a.x);
         return hks_erf(u) + (real)TWO_OVER_SQRT_PI * hks_exp(-u * u) * (a.x * hks_sigmoid(a.x));)

HK_ELEMENTWISE(serf, HK_READS_X,
               .tags = "gated",
               .summary = "x * erf(log(1 + exp(x)))",
               .source = "Nag, Bhattacharyya 2021");
