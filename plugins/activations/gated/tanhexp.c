/* tanhexp: x tanh(exp(x)), published again as TeLU; above x = 20 it is x to the last bit.
 * Liu, Di 2020, arXiv:2003.09855; Fernandez, Mali 2024, arXiv:2412.20269. */
#include <hillock/kernel.h>

HK_VALUE(return a.x * hks_tanh(hks_quick_exp(hks_min(20, a.x)));)
HK_SLOPE(const real n = hks_quick_exp(hks_min(20, a.x));
         const real e = hks_quick_exp(-2 * n), r = 1 / (1 + e);
         return (1 - e) * r + a.x * (4 * n * e * r * r);)

HK_ELEMENTWISE(tanhexp, HK_READS_X, .aliases = "telu", .tags = "gated", .formula = "x*tanh(exp(x))",
               .summary = "x * tanh(exp(x))", .source = "Liu, Di 2020; Fernandez, Mali 2024");
