/* elish: silu where x >= 0, else (exp(x) - 1) sigmoid(x): elu and silu multiplied.
 * Basirat, Roth 2018, arXiv:1808.00783, "The quest for the golden activation function". */
#include <hillock/kernel.h>

HK_VALUE(return (a.x < 0 ? hks_expm1(-hks_abs(a.x)) : a.x) * hks_sigmoid(a.x);)
HK_SLOPE(const real v = a.x < 0 ? hks_expm1(-hks_abs(a.x)) : a.x;
         const real dv = a.x < 0 ? v + 1 : 1;
         return hks_sigmoid(a.x) * (dv + v * hks_sigmoid(-a.x));)

HK_ELEMENTWISE(elish, HK_READS_X, .tags = "exponential",
               .formula = "(x < 0 ? expm1(x) : x)*sigmoid(x)",
               .summary = "(x >= 0 ? x : exp(x) - 1) * sigmoid(x)", .source = "Basirat, Roth 2018");
