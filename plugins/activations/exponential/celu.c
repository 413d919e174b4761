/* celu: x where x > 0, else alpha (exp(x / alpha) - 1): smooth for every alpha, as elu is for 1 alone.
 * Barron 2017, arXiv:1704.07483, equation 2. */
#include <hillock/kernel.h>

HK_PARAMS({.name = "alpha",
           .doc = "minus the limit for x -> -inf",
           .type = HK_REAL,
           .flags = HK_LOW_OPEN,
           .value = 1,
           .low = 0,
           .high = 10});

HK_VALUE(return a.x > 0 ? a.x : a.p[0] * hks_expm1(a.x * (1 / a.p[0]));)
HK_SLOPE(return a.x > 0 ? 1 : hks_exp(a.x * (1 / a.p[0]));)

HK_ELEMENTWISE(celu, HK_READS_X, .tags = "core,exponential", .params = params,
               .formula = "x > 0 ? x : alpha*expm1(x/alpha)",
               .summary = "x > 0 ? x : alpha * (exp(x / alpha) - 1)", .source = "Barron 2017");
