/* mish: x tanh(softplus(x)). With n = exp(x), tanh(log(1 + n)) = n (n + 2) / (n (n + 2) + 2), so
 * one exponential is enough; above x = 20 the gate is 1 to the last bit.
 * Misra 2019, arXiv:1908.08681. */
#include <hillock/kernel.h>

HK_VALUE(const real n = hks_quick_exp(hks_min(20, a.x)); const real m = n * (n + 2);
         return a.x * (m / (m + 2));)
HK_SLOPE(const real x = hks_min(20, a.x); const real n = hks_quick_exp(x);
         const real m = n * (n + 2); const real r = 1 / (m + 2);
         return r * (m + x * (4 * n * (n + 1) * r));)

HK_ELEMENTWISE(mish, HK_READS_X, .tags = "core,gated", .formula = "x*tanh(softplus(x))",
               .summary = "x * tanh(log(1 + exp(x)))", .source = "Misra 2019");
