/* logish: x log(1 + sigmoid(x)).
 * Zhu, Zeng, Yu, Yu, Yan 2021, Neurocomputing 458, "Logish". */
#include <hillock/kernel.h>

HK_VALUE(return a.x * hks_log1p_unit(hks_quick_sigmoid(a.x));)
HK_SLOPE(const real s = hks_quick_sigmoid(a.x);
         return hks_log1p_unit(s) + a.x * s * hks_quick_sigmoid(-a.x) / (1 + s);)

HK_ELEMENTWISE(logish, HK_READS_X, .tags = "gated", .formula = "x*log1p(sigmoid(x))",
               .summary = "x * log(1 + sigmoid(x))", .source = "Zhu, Zeng, Yu, Yu, Yan 2021");
