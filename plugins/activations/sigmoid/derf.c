/* derf: dynamic erf, weight erf(alpha x + shift) + bias, as dyt in place of a normalization. alpha and shift are
 * one for the layer, weight and bias belong to the channel; all are learned.
 * Chen, Lu, Zhu, Sun, Liu 2025, arXiv:2512.10938, "Stronger normalization-free transformers", equation 10. */
#include <hillock/kernel.h>

enum { ALPHA, WEIGHT, BIAS, SHIFT };
HK_SLOTS({.name = "alpha",
          .doc = "steepness",
          .role = HK_LEARNED,
          .extent = HK_SHARED,
          .flags = HK_NO_DECAY,
          .value = 0.5},
         {.name = "weight",
          .doc = "height",
          .role = HK_LEARNED,
          .extent = HK_PER_CHANNEL,
          .flags = HK_NO_DECAY,
          .value = 1},
         {.name = "bias",
          .doc = "the middle",
          .role = HK_LEARNED,
          .extent = HK_PER_CHANNEL,
          .flags = HK_NO_DECAY},
         {.name = "shift",
          .doc = "added to alpha x",
          .role = HK_LEARNED,
          .extent = HK_SHARED,
          .flags = HK_NO_DECAY});

/* d erf(u) / du = 2 / sqrt(pi) exp(-u^2) */
HK_VALUE(return a.t[WEIGHT] * hks_erf(a.t[ALPHA] * a.x + a.t[SHIFT]) + a.t[BIAS];)
HK_SLOPE(const real u = a.t[ALPHA] * a.x + a.t[SHIFT];
         return a.t[WEIGHT] * a.t[ALPHA] * (real)1.1283791670955126 * hks_exp(-u * u);)
HK_GRADIENT(const real u = a.t[ALPHA] * a.x + a.t[SHIFT];
            const real by_shift = a.t[WEIGHT] * (real)1.1283791670955126 * hks_exp(-u * u);
            return slot == ALPHA    ? by_shift * a.x
                   : slot == SHIFT  ? by_shift
                   : slot == WEIGHT ? hks_erf(u)
                                    : 1;)

HK_POINTWISE(derf, "weight*erf(alpha*x + shift) + bias", .aliases = "dynamic_erf",
             .tags = "sigmoid,pointwise",
             .summary = "weight * erf(alpha * x + shift) + bias, all learned",
             .source = "Chen, Lu, Zhu, Sun, Liu 2025");
