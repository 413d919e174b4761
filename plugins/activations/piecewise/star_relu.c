/* star_relu: scale max(0, x)^2 + bias, both learned. They start where a standard normal input gives
 * mean 0 and variance 1: max(0, x)^2 has mean 1/2 and variance 5/4.
 * Yu et al. 2022, arXiv:2210.13452, "MetaFormer baselines for vision" */
#include <hillock/kernel.h>

enum { SCALE, BIAS };
HK_SLOTS({.name = "scale",
          .doc = "factor of the square",
          .role = HK_LEARNED,
          .extent = HK_SHARED,
          .flags = HK_NO_DECAY,
          .value = 0.8944},
         {.name = "bias",
          .doc = "the value where x is negative",
          .role = HK_LEARNED,
          .extent = HK_SHARED,
          .flags = HK_NO_DECAY,
          .value = -0.4472});

HK_VALUE(const real z = hks_max(0, a.x); return a.t[SCALE] * (z * z) + a.t[BIAS];)
HK_SLOPE(return 2 * a.t[SCALE] * hks_max(0, a.x);)
HK_GRADIENT(const real z = hks_max(0, a.x); return slot == SCALE ? z * z : 1;)

HK_ELEMENTWISE_LEARNED(star_relu, HK_READS_X, .tags = "piecewise",
                       .formula = "scale*max(0, x)^2 + bias",
                       .summary = "scale * max(0, x)^2 + bias, both learned",
                       .source = "Yu et al. 2022");
