/* hardswish: x clip(x + 3, 0, 6) / 6, a piecewise polynomial silu.
 * Howard et al. 2019, arXiv:1905.02244, section 5.2. */
#include <hillock/kernel.h>

HK_VALUE(return a.x <= -3 ? 0 : a.x * (hks_min(6, a.x + 3) * (real)(1.0 / 6));)
HK_SLOPE(const real inside = (2 * a.x + 3) * (real)(1.0 / 6); return a.x <= -3  ? 0
                                                                     : a.x >= 3 ? 1
                                                                                : inside;)

HK_ELEMENTWISE(hardswish, HK_READS_X, .aliases = "hard_silu,hard_swish",
               .tags = "core,gated,piecewise", .formula = "x <= -3 ? 0 : x*min(6, x + 3)/6",
               .summary = "x * clip(x + 3, 0, 6) / 6", .source = "Howard et al. 2019");
