/* threshold: x above the threshold, else a fixed value, which need not meet it.
 * PyTorch's, where both numbers must be given. */
#include <hillock/kernel.h>

HK_PARAMS({.name = "threshold", .doc = "x passes above it", .type = HK_REAL},
          {.name = "value", .doc = "the result elsewhere", .type = HK_REAL});

HK_VALUE(return a.x <= a.p[0] ? a.p[1] : a.x;)
HK_SLOPE(return a.x > a.p[0] ? 1 : 0;)

HK_ELEMENTWISE(threshold, HK_READS_X, .tags = "piecewise", .params = params,
               .formula = "x <= threshold ? value : x", .summary = "x > threshold ? x : value",
               .source = "PyTorch");
