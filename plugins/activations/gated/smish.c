/* smish: x tanh(log(1 + sigmoid(x))); the gate is m / (m + 2), m = s (s + 2), s = sigmoid(x).
 * Wang, Ren, Wang 2022, Electronics 11(4), "Smish". */
#include <hillock/kernel.h>

HK_VALUE(const real s = hks_quick_sigmoid(a.x); const real m = s * (s + 2);
         return a.x * (m / (m + 2));)
HK_SLOPE(const real s = hks_quick_sigmoid(a.x); const real m = s * (s + 2);
         const real r = 1 / (m + 2);
         return r * (m + 4 * (s + 1) * r * (a.x * s * hks_quick_sigmoid(-a.x)));)

HK_ELEMENTWISE(smish, HK_READS_X, .tags = "gated", .formula = "x*tanh(log1p(sigmoid(x)))",
               .summary = "x * tanh(log(1 + sigmoid(x)))", .source = "Wang, Ren, Wang 2022");
