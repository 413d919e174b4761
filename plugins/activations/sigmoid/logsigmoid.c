/* logsigmoid: log(sigmoid(x)) = -softplus(-x), which neither overflows nor cancels. */
#include <hillock/kernel.h>

HK_VALUE(return -hks_softplus(-a.x);)
HK_SLOPE(return -hks_expm1(a.y);)

HK_ELEMENTWISE(logsigmoid, HK_READS_Y, .aliases = "log_sigmoid", .tags = "sigmoid",
               .formula = "-softplus(-x)", .summary = "log(1 / (1 + exp(-x)))", .source = "none");
