/* swish: x sigmoid(beta x), beta learned for each channel. beta near 0 is x/2, large beta is relu;
 * with beta fixed at 1 it is silu.
 * Ramachandran, Zoph, Le 2017, arXiv:1710.05941, "Searching for activation functions". */
#include <hillock/kernel.h>

HK_SLOTS({.name = "beta",
          .doc = "steepness of the gate",
          .role = HK_LEARNED,
          .extent = HK_PER_CHANNEL,
          .value = 1,
          .flags = HK_NO_DECAY});

#define OPEN hks_quick_sigmoid(a.t[0] * a.x)
#define SHUT hks_quick_sigmoid(-a.t[0] * a.x)
HK_VALUE(return a.x * OPEN;)
HK_SLOPE(return OPEN + a.t[0] * (a.x * OPEN * SHUT);)
HK_GRADIENT(return a.x * (a.x * OPEN * SHUT);)

HK_ELEMENTWISE_LEARNED(swish, HK_READS_X, .tags = "core,gated", .formula = "x*sigmoid(beta*x)",
                       .summary = "x * sigmoid(beta * x), beta learned",
                       .source = "Ramachandran, Zoph, Le 2017");
