/* isru: inverse square root unit, x / sqrt(1 + alpha x^2); beyond 1e15 it is constant to the last
 * bit, and a square might overflow.
 * Carlile, Delamarter, Kinney, Marti, Whitney 2017, arXiv:1710.09967 */
#include <hillock/kernel.h>

HK_PARAMS({.name = "alpha", .doc = "the limits are +-1 / sqrt(alpha)", .type = HK_REAL,
           .flags = HK_LOW_OPEN, .value = 1, .low = 0, .high = 1000});

HK_VALUE(const real x = hks_min((real)1e15, hks_max((real)-1e15, a.x));
         return x * hks_rsqrt(1 + a.p[0] * x * x);)
HK_SLOPE(const real r = hks_rsqrt(1 + a.p[0] * a.x * a.x);
         return r * r * r;)

HK_ELEMENTWISE(isru, HK_READS_X,
               .tags = "exponential",
               .params = params,
               .summary = "x / sqrt(1 + alpha * x^2)",
               .source = "Carlile, Delamarter, Kinney, Marti, Whitney 2017");
