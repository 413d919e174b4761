/* colu: x / (1 - x exp(-(x + exp(x)))), the collapsing linear unit. With
 * e = exp(-(x + exp(x))), r = 1 / (1 - x e) the slope is r^2 - y^2 e (1 + exp(x)): nothing
 * overflows while e stays below exp(40), and there y is 0 to 1e-17.
 * Vagerwal 2021, arXiv:2112.12078, "Deeper learning with CoLU activation". */
#include <hillock/kernel.h>

#define PARTS                                                                                      \
    const real n = hks_quick_exp(hks_min(5, a.x)), e = hks_quick_exp(hks_min(40, -(a.x + n)));     \
    const real r = 1 / (1 - a.x * e), y = a.x * r;
HK_VALUE(PARTS return y;)
HK_SLOPE(PARTS return r * r - y * (y * e) * (1 + n);)

HK_ELEMENTWISE(colu, HK_READS_X, .tags = "gated", .formula = "x/(1 - x*exp(-(x + exp(x))))",
               .summary = "x / (1 - x * exp(-(x + exp(x))))", .source = "Vagerwal 2021");
