/* lisht: x tanh(x), even and nowhere negative.
 * Roy, Manna, Dubey, Chaudhuri 2019, arXiv:1901.05894. */
#include <hillock/kernel.h>

HK_VALUE(return a.x * hks_tanh(a.x);)
HK_SLOPE(return hks_tanh(a.x) + a.x * hks_sech2(a.x);)

HK_ELEMENTWISE(lisht, HK_READS_X, .tags = "gated", .formula = "x*tanh(x)", .summary = "x * tanh(x)",
               .source = "Roy, Manna, Dubey, Chaudhuri 2019");
