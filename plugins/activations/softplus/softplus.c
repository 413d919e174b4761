/* softplus: log(1 + exp(beta x)) / beta, a smooth relu.
 * Dugas, Bengio, Belisle, Nadeau, Garcia 2001, NIPS 13, equation 4 for beta = 1. */
#include <hillock/kernel.h>

HK_PARAMS({.name = "beta",
           .doc = "sharpness of the bend; large values approach relu",
           .type = HK_REAL,
           .flags = HK_LOW_OPEN,
           .value = 1,
           .low = 0,
           .high = 1000});

/* From beta x = 40 on it is x; that also keeps beta x from overflowing. */
HK_VALUE(return a.p[0] * a.x > 40 ? a.x : hks_softplus(a.p[0] * a.x) * (1 / a.p[0]);)
HK_SLOPE(return -hks_expm1(-a.p[0] * a.y);)

HK_ELEMENTWISE(softplus, HK_READS_Y, .aliases = "bnll,smooth_relu", .tags = "core,softplus",
               .params = params, .formula = "softplus(beta*x)/beta",
               .summary = "log(1 + exp(beta * x)) / beta",
               .source = "Dugas, Bengio, Belisle, Nadeau, Garcia 2001");
