/* bent_identity: (sqrt(x^2 + 1) - 1) / 2 + x, with slopes from 1/2 to 3/2. With r = 1 / root the
 * root less 1 is x * (x r / (1 + r)), which does not cancel. Beyond 1e18 the last factor is +-1 to
 * the last bit, and a square might overflow. */
#include <hillock/kernel.h>

#define NEAR hks_min((real)1e18, hks_max((real)-1e18, a.x))
HK_VALUE(const real x = NEAR, r = hks_rsqrt_plain(x * x + 1);
         return a.x + a.x / 2 * (x * r / (1 + r));)
HK_SLOPE(const real x = NEAR; return 1 + x / 2 * hks_rsqrt_plain(x * x + 1);)

HK_ELEMENTWISE(bent_identity, HK_READS_X, .tags = "softplus",
               .formula = "(sqrt(x^2 + 1) - 1)/2 + x", .summary = "(sqrt(x^2 + 1) - 1) / 2 + x",
               .source = "none");
