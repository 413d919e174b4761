/* relu6: relu with a ceiling, for arithmetic of few bits.
 * Krizhevsky 2010, technical report, "Convolutional deep belief networks on CIFAR-10". */
#include <hillock/kernel.h>

HK_PARAMS({.name = "cap",
           .doc = "the largest value",
           .type = HK_REAL,
           .flags = HK_LOW_OPEN,
           .value = 6,
           .low = 0,
           .high = 1e6});

HK_VALUE(return hks_max(0, hks_min(a.p[0], a.x));)
HK_SLOPE(return a.y > 0 && a.y < a.p[0] ? 1 : 0;)

HK_ELEMENTWISE(relu6, HK_READS_Y, .aliases = "relu_n", .tags = "core,piecewise", .params = params,
               .formula = "max(0, min(cap, x))", .summary = "min(max(0, x), cap)",
               .source = "Krizhevsky 2010");
