/* Probe: a surrogate gradient. relu forward; backward the derivative of
 * B-SiLU(x) = (x + a) sigmoid(x) - a / 2, which never lets a unit die.
 * Horuz, Kasenbacher, Higuchi, Kairat et al. 2025, arXiv:2505.22074. */
#include <hillock/kernel.h>

HK_PARAMS({.name = "a", .doc = "offset of the surrogate", .type = HK_REAL, .value = 1.67,
           .low = 0, .high = 10});

HK_VALUE(return a.x < 0 ? 0 : a.x;)
HK_SLOPE(const real s = hks_sigmoid(a.x);
         const real surrogate = s + (a.x + a.p[0]) * s * hks_sigmoid(-a.x);
         return a.surrogate ? surrogate : a.x > 0 ? 1 : 0;)

HK_ELEMENTWISE(relu_bsilu, HK_READS_X | HK_SURROGATE,
               .params = params,
               .summary = "max(0, x) with the slope of B-SiLU",
               .source = "Horuz et al. 2025");
