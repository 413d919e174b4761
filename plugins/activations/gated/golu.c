/* golu: x exp(-exp(-x)), gated by the Gompertz function, which is 0 from x = -4 on.
 * Das et al. 2025, arXiv:2502.03654, "Gompertz linear units". */
#include <hillock/kernel.h>

HK_VALUE(return a.x * hks_quick_exp(-hks_quick_exp(hks_min(10, -a.x)));)
HK_SLOPE(const real n = hks_quick_exp(hks_min(10, -a.x)); const real gate = hks_quick_exp(-n);
         return gate + a.x * (gate * n);)

HK_ELEMENTWISE(golu, HK_READS_X, .tags = "gated", .formula = "x*exp(-exp(-x))",
               .summary = "x * exp(-exp(-x))", .source = "Das et al. 2025");
