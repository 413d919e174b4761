/* sigmoid: 1 / (1 + exp(-x)), the logistic function.
 * Rumelhart, Hinton, Williams 1986, Nature 323, "Learning representations by back-propagating
 * errors". */
#include <hillock/kernel.h>

HK_VALUE(return hks_sigmoid(a.x);)
HK_SLOPE(return a.y * (1 - a.y);)

HK_ELEMENTWISE(sigmoid, HK_READS_Y, .aliases = "logistic", .tags = "core,sigmoid",
               .formula = "sigmoid(x)", .summary = "1 / (1 + exp(-x))",
               .source = "Rumelhart, Hinton, Williams 1986");
