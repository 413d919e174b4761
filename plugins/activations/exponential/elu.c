/* elu: x where x > 0, else alpha (exp(x) - 1). The slope is continuous for alpha = 1 only.
 * Clevert, Unterthiner, Hochreiter 2016, arXiv:1511.07289, equation 15. */
#include <hillock/kernel.h>

HK_PARAMS({.name = "alpha",
           .doc = "the value at minus infinity is -alpha",
           .type = HK_REAL,
           .value = 1,
           .low = 0,
           .high = 10});

HK_VALUE(return a.x > 0 ? a.x : a.p[0] * hks_expm1(a.x);)
HK_SLOPE(return a.y > 0 ? 1 : a.y + a.p[0];)

HK_ELEMENTWISE(elu, HK_READS_Y, .tags = "core,exponential", .params = params,
               .formula = "x > 0 ? x : alpha*expm1(x)",
               .summary = "x > 0 ? x : alpha * (exp(x) - 1)",
               .source = "Clevert, Unterthiner, Hochreiter 2016");
