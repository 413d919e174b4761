/* tanhshrink: x - tanh(x). Near 0, where the difference cancels, Lambert's continued fraction
 * x / (1 + z / (3 + z / (5 + ...))), z = x^2, stands for tanh, and x can be subtracted from it. */
#include <hillock/kernel.h>

HK_VALUE(const real z = a.x * a.x, above = z * (3465 + z * (189 + z));
         const real below = 10395 + z * (4725 + z * (210 + z));
         return z < (real)0.5 ? a.x * (above / below) : a.x - hks_tanh(a.x);)
HK_SLOPE(const real t = hks_tanh(a.x); return t * t;)

HK_ELEMENTWISE(tanhshrink, HK_READS_X, .aliases = "tanh_shrink", .tags = "sigmoid",
               .formula = "x - tanh(x)", .summary = "x - tanh(x)", .source = "none");
