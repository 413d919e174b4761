/* erf: the error function, a sigmoid with the tails of the normal distribution. */
#include <hillock/kernel.h>

#define TWO_OVER_SQRT_PI 1.12837916709551257390

HK_VALUE(return hks_erf(a.x);)
HK_SLOPE(return (real)TWO_OVER_SQRT_PI * hks_quick_exp(-a.x * a.x);)

HK_ELEMENTWISE(erf, HK_READS_X, .tags = "sigmoid", .formula = "erf(x)", .summary = "erf(x)",
               .source = "none");
