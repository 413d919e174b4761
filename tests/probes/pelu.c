/* Probe: two learned slots, one per channel and one shared, both clamped. pelu: (a / b) x where
 * x >= 0, else a (exp(x / b) - 1). Trottier, Giguere, Chaib-draa 2017, arXiv:1605.09332. */
#include <hillock/kernel.h>

enum { A, B };
HK_SLOTS({.name = "a", .doc = "depth of the negative side", .role = HK_LEARNED,
          .extent = HK_PER_CHANNEL, .flags = HK_NO_DECAY, .value = 1, .low = 0.1, .high = 100},
         {.name = "b", .doc = "width of the negative side", .role = HK_LEARNED,
          .extent = HK_SHARED, .flags = HK_NO_DECAY, .value = 1, .low = 0.1, .high = 100});

HK_VALUE(const real z = a.x / a.t[B];
         return a.t[A] * (z < 0 ? hks_expm1(z) : z);)
HK_SLOPE(const real z = a.x / a.t[B];
         return a.t[A] / a.t[B] * (z < 0 ? hks_exp(z) : 1);)
HK_GRADIENT(const real z = a.x / a.t[B];
            const real by_b = -a.t[A] * z / a.t[B] * (z < 0 ? hks_exp(z) : 1);
            return slot == A ? (z < 0 ? hks_expm1(z) : z) : by_b;)

HK_ELEMENTWISE_LEARNED(pelu, HK_READS_X,
                       .summary = "x >= 0 ? a / b * x : a * (exp(x / b) - 1)",
                       .source = "Trottier, Giguere, Chaib-draa 2017");
