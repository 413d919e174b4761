/* lecun_tanh: a tanh stretched so that f(1) = 1 and f(-1) = -1, nearly, and its effective gain for
 * inputs of variance 1 is near 1.
 * LeCun, Bottou, Orr, Mueller 1998, "Efficient BackProp", section 4.4. */
#include <hillock/kernel.h>

#define A 1.7159

HK_VALUE(return (real)A * hks_tanh(a.x * (real)(2.0 / 3));)
HK_SLOPE(return (real)(2 / (3 * A)) * (((real)A - a.y) * ((real)A + a.y));)

HK_ELEMENTWISE(lecun_tanh, HK_READS_Y, .aliases = "scaled_tanh", .tags = "sigmoid",
               .formula = "1.7159*tanh(2/3*x)", .summary = "1.7159 * tanh(2 / 3 * x)",
               .source = "LeCun, Bottou, Orr, Mueller 1998");
