/* hard_elish: elish with the straight gate clip((x + 1) / 2, 0, 1) for the sigmoid.
 * Basirat, Roth 2018, arXiv:1808.00783, "The quest for the golden activation function". */
#include <hillock/kernel.h>

HK_VALUE(const real gate = hks_min(1, hks_max(0, (a.x + 1) / 2));
         return (a.x < 0 ? hks_expm1(a.x) : a.x) * gate;)
HK_SLOPE(const real gate = hks_min(1, hks_max(0, (a.x + 1) / 2));
         const real v = a.x < 0 ? hks_expm1(a.x) : a.x; const real dv = a.x < 0 ? v + 1 : 1;
         return dv * gate + (hks_abs(a.x) < 1 ? v / 2 : 0);)

HK_ELEMENTWISE(hard_elish, HK_READS_X, .aliases = "hardelish", .tags = "exponential",
               .formula = "(x < 0 ? expm1(x) : x)*min(1, max(0, (x + 1)/2))",
               .summary = "(x >= 0 ? x : exp(x) - 1) * clip((x + 1) / 2, 0, 1)",
               .source = "Basirat, Roth 2018");
