/* sine_relu: x where x > 0, else epsilon (sin(x) - cos(x)); it jumps by epsilon at 0.
 * Rodrigues 2018, "SineReLU, an alternative to the ReLU activation function". */
#include <hillock/kernel.h>

HK_PARAMS({.name = "epsilon",
           .doc = "height of the wave",
           .type = HK_REAL,
           .value = 0.0025,
           .low = 0,
           .high = 10});

HK_VALUE(return a.x > 0 ? a.x : a.p[0] * (hks_sin(a.x) - hks_cos(a.x));)
HK_SLOPE(return a.x > 0 ? 1 : a.p[0] * (hks_cos(a.x) + hks_sin(a.x));)

HK_ELEMENTWISE(sine_relu, HK_READS_X, .tags = "periodic", .params = params,
               .formula = "x > 0 ? x : epsilon*(sin(x) - cos(x))",
               .summary = "x > 0 ? x : epsilon * (sin(x) - cos(x))", .source = "Rodrigues 2018");
