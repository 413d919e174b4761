/* colu: x / (1 - x exp(-(x + exp(x)))), the collapsing linear unit. With s = x + exp(x) and
 * e = exp(-|s|) it is x h / d, where h = 1, d = 1 - x e or, for negative s, h = e, d = e - x:
 * nothing overflows.
 * Vagerwal 2021, arXiv:2112.12078, "Deeper learning with CoLU activation". */
#include <hillock/kernel.h>

#define PARTS                                                                                      \
    const real n = hks_exp(hks_min(5, a.x)), s = a.x + n, e = hks_fade(-hks_abs(s));               \
    const real h = s < 0 ? e : 1, r = 1 / (s < 0 ? e - a.x : 1 - a.x * e);
HK_VALUE(PARTS return a.x * h * r;)
HK_SLOPE(PARTS return (h * h - a.x * (a.x * e) * (1 + n)) * r * r;)

HK_ELEMENTWISE(colu, HK_READS_X,
               .tags = "gated",
               .summary = "x / (1 - x * exp(-(x + exp(x))))",
               .source = "Vagerwal 2021");
