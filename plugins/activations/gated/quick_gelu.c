/* quick_gelu: gelu with Phi(x) approximated by sigmoid(1.702 x), at most 0.021 away.
 * Hendrycks, Gimpel 2016, arXiv:1606.08415, section 2. */
#include <hillock/kernel.h>

#define STEEPNESS 1.702
#define OPEN hks_quick_sigmoid((real)STEEPNESS *a.x)
#define SHUT hks_quick_sigmoid((real)-STEEPNESS *a.x)

HK_VALUE(return a.x * OPEN;)
HK_SLOPE(return OPEN + (real)STEEPNESS * (a.x * OPEN * SHUT);)

HK_ELEMENTWISE(quick_gelu, HK_READS_X, .aliases = "gelu_quick", .tags = "gated",
               .formula = "x*sigmoid(1.702*x)", .summary = "x * sigmoid(1.702 * x)",
               .source = "Hendrycks, Gimpel 2016");
