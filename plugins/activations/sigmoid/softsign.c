/* softsign: x / (1 + |x|), which nears its limits like a hyperbola, tanh exponentially.
 * Elliott 1993, technical report, "A better activation function for artificial neural networks";
 * Bergstra, Desjardins, Lamblin, Bengio 2009, "Quadratic polynomials learn better image
 * features". */
#include <hillock/kernel.h>

HK_VALUE(return a.x / (1 + hks_abs(a.x));)
HK_SLOPE(const real rest = 1 - hks_abs(a.y); return rest * rest;)

HK_ELEMENTWISE(softsign, HK_READS_Y, .aliases = "elliott", .tags = "core,sigmoid",
               .formula = "x/(1 + abs(x))", .summary = "x / (1 + |x|)",
               .source = "Elliott 1993; Bergstra, Desjardins, Lamblin, Bengio 2009");
