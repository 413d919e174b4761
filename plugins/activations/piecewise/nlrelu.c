/* nlrelu: log(1 + beta max(0, x)), a relu that grows like a logarithm.
 * Liu, Zhang, Zhang, Xue, Ren 2019, arXiv:1908.03682, "Natural-logarithm-rectified activation
 * function in convolutional neural networks". */
#include <hillock/kernel.h>

HK_PARAMS({.name = "beta",
           .doc = "slope at 0",
           .type = HK_REAL,
           .flags = HK_LOW_OPEN,
           .value = 1,
           .low = 0,
           .high = 1000});

HK_VALUE(return hks_log1p(a.p[0] * hks_max(0, a.x));)
HK_SLOPE(return a.y > 0 ? a.p[0] * hks_exp(-a.y) : 0;)

HK_ELEMENTWISE(nlrelu, HK_READS_Y, .tags = "piecewise", .params = params,
               .formula = "log1p(beta*max(0, x))", .summary = "log(1 + beta * max(0, x))",
               .source = "Liu et al. 2019");
