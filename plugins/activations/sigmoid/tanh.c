/* tanh: the hyperbolic tangent.
 * LeCun, Bottou, Orr, Mueller 1998, "Efficient BackProp", section 4.4. */
#include <hillock/kernel.h>

HK_VALUE(return hks_tanh(a.x);)
HK_SLOPE(return (1 - a.y) * (1 + a.y);)

HK_ELEMENTWISE(tanh, HK_READS_Y, .tags = "core,sigmoid", .formula = "tanh(x)", .summary = "tanh(x)",
               .source = "LeCun, Bottou, Orr, Mueller 1998");
