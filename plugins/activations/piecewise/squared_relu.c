/* squared_relu: max(0, x)^2. The slope grows without bound.
 * So et al. 2021, arXiv:2109.08668, "Primer: searching for efficient transformers". */
#include <hillock/kernel.h>

HK_VALUE(const real z = hks_max(0, a.x); return z * z;)
HK_SLOPE(return 2 * hks_max(0, a.x);)

HK_ELEMENTWISE(squared_relu, HK_READS_X, .aliases = "relu2,relu_squared", .tags = "piecewise",
               .formula = "max(0, x)^2", .summary = "max(0, x)^2", .source = "So et al. 2021");
