/* leaky_relu: x where x > 0, else slope x. The default is PyTorch's; Keras has 0.3, darknet 0.1.
 * Maas, Hannun, Ng 2013, ICML workshop, "Rectifier nonlinearities improve neural network
 * acoustic models". */
#include <hillock/kernel.h>

HK_PARAMS({.name = "slope",
           .doc = "slope where x is negative",
           .type = HK_REAL,
           .value = 0.01,
           .low = 0,
           .high = 1});

HK_VALUE(return a.x > 0 ? a.x : a.p[0] * a.x;)
HK_SLOPE(return a.y > 0 ? 1 : a.p[0];)

HK_ELEMENTWISE(leaky_relu, HK_READS_Y, .aliases = "lrelu", .tags = "core,piecewise",
               .params = params, .formula = "x > 0 ? x : slope*x",
               .summary = "x > 0 ? x : slope * x", .source = "Maas, Hannun, Ng 2013");
