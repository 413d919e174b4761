/* sign: -1, 0 or 1. Its slope is 0 everywhere, so backward lets the gradient through for |x| <= 1,
 * as if it were hardtanh.
 * Courbariaux, Hubara, Soudry, El-Yaniv, Bengio 2016, arXiv:1602.02830 */
#include <hillock/kernel.h>

HK_VALUE(return a.x > 0 ? 1 : a.x < 0 ? -1 : a.x;)
HK_SLOPE(return a.surrogate && hks_abs(a.x) <= 1 ? 1 : 0;)

HK_ELEMENTWISE(sign, HK_READS_X | HK_SURROGATE, .tags = "sigmoid,surrogate", .formula = "sign(x)",
               .summary = "sign of x, with the slope of hardtanh",
               .source = "Courbariaux, Hubara, Soudry, El-Yaniv, Bengio 2016");
