/* frelu_flexible: relu plus a bias learned for each channel, so that values may be negative. Not
 * the funnel relu, which is called frelu, too.
 * Qiu, Xu, Cai 2018, arXiv:1706.08098, "FReLU: flexible rectified linear units". */
#include <hillock/kernel.h>

HK_SLOTS({.name = "bias",
          .doc = "the value where x is negative",
          .role = HK_LEARNED,
          .extent = HK_PER_CHANNEL,
          .flags = HK_NO_DECAY});

HK_VALUE(return hks_max(0, a.x) + a.t[0];)
HK_SLOPE(return a.x > 0 ? 1 : 0;)
HK_GRADIENT(return 1;)

HK_ELEMENTWISE_LEARNED(frelu_flexible, HK_READS_X, .aliases = "flexible_relu", .tags = "piecewise",
                       .formula = "max(0, x) + bias", .summary = "max(0, x) + bias, bias learned",
                       .source = "Qiu, Xu, Cai 2018");
