/* squareplus: (x + sqrt(x^2 + b)) / 2, a softplus without exponential. With s the half sum of |x|
 * and the root, it is s where x >= 0, else b / (4 s), which does not cancel. Beyond 1e18 the root
 * is |x| to the last bit, and a square might overflow. Since x = y - b / (4 y), the slope is
 * y^2 / (y^2 + b / 4).
 * Barron 2021, arXiv:2112.11687 */
#include <hillock/kernel.h>

HK_PARAMS({.name = "b",
           .doc = "the value at 0 is sqrt(b) / 2",
           .type = HK_REAL,
           .flags = HK_LOW_OPEN,
           .value = 4,
           .low = 0,
           .high = 1e6});

HK_VALUE(const real size = hks_abs(a.x), near = hks_min((real)1e18, size);
         const real square = near * near + a.p[0];
         const real s = size / 2 + hks_max(size, square *hks_rsqrt_plain(square)) / 2;
         return a.x < 0 ? a.p[0] / 4 / s : s;)
HK_SLOPE(const real y = hks_min((real)1e18, a.y); return y * y / (y * y + a.p[0] / 4);)

HK_ELEMENTWISE(squareplus, HK_READS_Y, .tags = "softplus", .params = params,
               .formula = "(x + sqrt(x^2 + b))/2", .summary = "(x + sqrt(x^2 + b)) / 2",
               .source = "Barron 2021");
