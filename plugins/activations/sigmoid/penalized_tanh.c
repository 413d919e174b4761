/* penalized_tanh: tanh, made smaller where x is negative.
 * Xu, Huang, Li 2016, arXiv:1602.05980, "Revise saturated activation functions" */
#include <hillock/kernel.h>

HK_PARAMS({.name = "slope",
           .doc = "factor where x is negative",
           .type = HK_REAL,
           .flags = HK_LOW_OPEN,
           .value = 0.25,
           .low = 0,
           .high = 1});

HK_VALUE(return (a.x > 0 ? 1 : a.p[0]) * hks_tanh(a.x);)
HK_SLOPE(const real size = a.y > 0 ? 1 : a.p[0]; return (size - a.y) * (size + a.y) / size;)

HK_ELEMENTWISE(penalized_tanh, HK_READS_Y, .tags = "sigmoid", .params = params,
               .formula = "(x > 0 ? 1 : slope)*tanh(x)",
               .summary = "x > 0 ? tanh(x) : slope * tanh(x)", .source = "Xu, Huang, Li 2016");
