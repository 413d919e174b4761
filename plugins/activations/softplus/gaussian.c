/* gaussian: exp(-x^2), a bump around 0. */
#include <hillock/kernel.h>

HK_VALUE(return hks_quick_exp(-a.x * a.x);)
HK_SLOPE(return a.x * (-2 * hks_quick_exp(-a.x * a.x));)

HK_ELEMENTWISE(gaussian, HK_READS_X, .tags = "softplus", .formula = "exp(-x^2)",
               .summary = "exp(-x^2)", .source = "none");
