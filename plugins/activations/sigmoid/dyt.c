/* dyt: dynamic tanh, weight tanh(alpha x) + bias, proposed in place of a normalization, and here an activation,
 * too. alpha is one for the layer, weight and bias belong to the channel; all are learned.
 * Zhu, Chen, He, LeCun, Liu 2025, arXiv:2503.10622, "Transformers without normalization". */
#include <hillock/kernel.h>

enum { ALPHA, WEIGHT, BIAS };
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
          .doc = "the value at 0",
          .role = HK_LEARNED,
          .extent = HK_PER_CHANNEL,
          .flags = HK_NO_DECAY});

HK_VALUE(return a.t[WEIGHT] * hks_tanh(a.t[ALPHA] * a.x) + a.t[BIAS];)
HK_SLOPE(const real t = hks_tanh(a.t[ALPHA] * a.x);
         return a.t[WEIGHT] * a.t[ALPHA] * ((1 - t) * (1 + t));)
HK_GRADIENT(const real t = hks_tanh(a.t[ALPHA] * a.x);
            const real by_alpha = a.t[WEIGHT] * (a.x * ((1 - t) * (1 + t)));
            return slot == ALPHA    ? by_alpha
                   : slot == WEIGHT ? t
                                    : 1;)

HK_POINTWISE(dyt, "weight*tanh(alpha*x) + bias", .aliases = "dynamic_tanh",
             .tags = "sigmoid,pointwise", .summary = "weight * tanh(alpha * x) + bias, all learned",
             .source = "Zhu, Chen, He, LeCun, Liu 2025");
