/* colu: x / (1 - x exp(-(x + exp(x)))), the collapsing linear unit. With s = x + exp(x) and
 * e = exp(-|s|) it is x h / d, where h = 1, d = 1 - x e or, for negative s, h = e, d = e - x:
 * nothing overflows.
 * Vagerwal 2021, arXiv:2112.12078, "Deeper learning with CoLU activation". */
#include <hillock/kernel.h>

HK_VALUE(const real s = a.x + hks_exp(hks_min(5, a.x));
         const real e = hks_exp(-hks_abs(s));
         return s < 0 ? a.x * e / (e - a.x) : a.x / (1 - a.x * e);)
HK_SLOPE(const real n = hks_exp(hks_min(5, a.x));
         const real e = hks_exp(-hks_abs(a.x + n));
         const real h = a.x + n < 0 ? e : 1;
         const real r = 1 / (a.x + n < 0 ? e - a.x : 1 - a.x * e);
         return (h * h - a.x * (a.x * e) * (1 + n)) * r * r;)

HK_ELEMENTWISE(colu, HK_READS_X,
               .tags = "gated",
               .summary = "x / (1 - x * exp(-(x + exp(x))))",
               .source = "Vagerwal 2021");
