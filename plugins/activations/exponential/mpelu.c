/* mpelu: multiple parametric elu, height alpha and steepness beta of the negative side learned for
 * each channel: between prelu (beta near 0) and elu.
 * Li, Fan, Li, Wu, Ming 2018, arXiv:1606.00305 */
#include <hillock/kernel.h>

enum { ALPHA, BETA };
HK_SLOTS({.name = "alpha",
          .doc = "minus the limit for x -> -inf",
          .role = HK_LEARNED,
          .extent = HK_PER_CHANNEL,
          .flags = HK_NO_DECAY,
          .value = 1},
         {.name = "beta",
          .doc = "steepness of the negative side",
          .role = HK_LEARNED,
          .extent = HK_PER_CHANNEL,
          .flags = HK_NO_DECAY,
          .value = 1,
          .low = 0,
          .high = 100});

HK_VALUE(return a.x > 0 ? a.x : a.t[ALPHA] * hks_expm1(a.t[BETA] * a.x);)
HK_SLOPE(return a.x > 0 ? 1 : a.t[ALPHA] * a.t[BETA] * hks_exp(a.t[BETA] * a.x);)
HK_GRADIENT(const real z = a.t[BETA] * a.x;
            const real by = slot == ALPHA ? hks_expm1(z) : a.t[ALPHA] * (a.x * hks_exp(z));
            return a.x > 0 ? 0 : by;)

HK_ELEMENTWISE_LEARNED(mpelu, HK_READS_X, .tags = "exponential",
                       .formula = "x > 0 ? x : alpha*expm1(beta*x)",
                       .summary = "x > 0 ? x : alpha * (exp(beta * x) - 1), both learned",
                       .source = "Li, Fan, Li, Wu, Ming 2018");
