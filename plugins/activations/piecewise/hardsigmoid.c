/* hardsigmoid: slope x + 1/2 between 0 and 1. The default is that of PyTorch and Keras 3; ONNX and
 * Keras 2 have 0.2.
 * Courbariaux, Bengio, David 2015, arXiv:1511.00363, with slope 1/2;
 * Howard et al. 2019, arXiv:1905.02244, section 5.2, with 1/6. */
#include <hillock/kernel.h>

HK_PARAMS({.name = "slope",
           .doc = "slope between the bends",
           .type = HK_REAL,
           .flags = HK_LOW_OPEN,
           .value = 1.0 / 6,
           .low = 0,
           .high = 100});

HK_VALUE(return hks_min(1, hks_max(0, a.p[0] * a.x + (real)0.5));)
HK_SLOPE(return a.y > 0 && a.y < 1 ? a.p[0] : 0;)

HK_ELEMENTWISE(hardsigmoid, HK_READS_Y, .aliases = "hard_sigmoid", .tags = "core,piecewise",
               .params = params, .formula = "min(1, max(0, slope*x + 0.5))",
               .summary = "min(max(0, slope * x + 1/2), 1)",
               .source = "Courbariaux, Bengio, David 2015; Howard et al. 2019");
