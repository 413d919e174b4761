/* isrlu: inverse square root linear unit, x where x >= 0, else isru, an elu without exponential.
 * Beyond -1e15 it is constant to the last bit, and a square might overflow.
 * Carlile, Delamarter, Kinney, Marti, Whitney 2017, arXiv:1710.09967 */
#include <hillock/kernel.h>

HK_PARAMS({.name = "alpha",
           .doc = "the limit for x -> -inf is -1 / sqrt(alpha)",
           .type = HK_REAL,
           .flags = HK_LOW_OPEN,
           .value = 1,
           .low = 0,
           .high = 1000});

#define NEAR hks_max((real)-1e12, hks_min(0, a.x))
HK_VALUE(const real x = NEAR; return a.x > 0 ? a.x : x * hks_rsqrt_plain(1 + a.p[0] * x * x);)
HK_SLOPE(const real x = NEAR, r = hks_rsqrt_plain(1 + a.p[0] * x * x); return r * r * r;)

HK_ELEMENTWISE(isrlu, HK_READS_X, .tags = "exponential", .params = params,
               .formula = "x > 0 ? x : x/sqrt(1 + alpha*x^2)",
               .summary = "x >= 0 ? x : x / sqrt(1 + alpha * x^2)",
               .source = "Carlile, Delamarter, Kinney, Marti, Whitney 2017");
