/* swish: x sigmoid(beta x), beta learned for each channel. beta near 0 is x/2, large beta is relu;
 * with beta fixed at 1 it is silu.
 * Ramachandran, Zoph, Le 2017, arXiv:1710.05941, "Searching for activation functions". */
#include <hillock/kernel.h>

HK_SLOTS({.name = "beta", .doc = "steepness of the gate", .role = HK_LEARNED,
          .extent = HK_PER_CHANNEL, .value = 1, .flags = HK_NO_DECAY});

HK_VALUE(return a.x * hks_sigmoid(a.t[0] * a.x);)
HK_SLOPE(const real bx = hks_min(100, hks_max(-100, a.t[0] * a.x)); /* inf * 0 is not 0 */
         return hks_sigmoid(bx) * (1 + bx * hks_sigmoid(-bx));)
HK_GRADIENT(const real bx = a.t[0] * a.x;
            return a.x * hks_sigmoid(bx) * (a.x * hks_sigmoid(-bx));)

HK_ELEMENTWISE_LEARNED(swish, HK_READS_X,
                       .summary = "x * sigmoid(beta * x), beta learned",
                       .source = "Ramachandran, Zoph, Le 2017");
