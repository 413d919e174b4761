/* exponential: exp(x). */
#include <hillock/kernel.h>

HK_VALUE(return hks_exp(a.x);)
HK_SLOPE(return a.y;)

HK_ELEMENTWISE(exponential, HK_READS_Y, .aliases = "exp", .tags = "softplus", .formula = "exp(x)",
               .summary = "exp(x)", .source = "none");
