/* pelu: parametric elu, a for its height and b for its width, learned for each channel. The slope
 * is continuous whatever they are; both are kept above 0.1, as the authors do.
 * Trottier, Giguere, Chaib-draa 2017, arXiv:1605.09332 */
#include <hillock/kernel.h>

enum { A, B };
#define LEARNED .role = HK_LEARNED, .extent = HK_PER_CHANNEL, .flags = HK_NO_DECAY
HK_SLOTS({.name = "a",
          .doc = "minus the limit for x -> -inf",
          LEARNED,
          .value = 1,
          .low = 0.1,
          .high = 100},
         {.name = "b", .doc = "width of the bend", LEARNED, .value = 1, .low = 0.1, .high = 100});

HK_VALUE(const real z = a.x / a.t[B]; return a.t[A] * (z < 0 ? hks_expm1(z) : z);)
HK_SLOPE(return a.t[A] / a.t[B] * hks_exp(hks_min(0, a.x / a.t[B]));)
HK_GRADIENT(const real z = a.x / a.t[B];
            const real by_b = -a.t[A] * (z / a.t[B] * hks_exp(hks_min(0, z)));
            return slot == A ? (z < 0 ? hks_expm1(z) : z) : by_b;)

HK_ELEMENTWISE_LEARNED(pelu, HK_READS_X, .tags = "exponential",
                       .formula = "a*(x < 0 ? expm1(x/b) : x/b)",
                       .summary = "x >= 0 ? a / b * x : a * (exp(x / b) - 1), a and b learned",
                       .source = "Trottier, Giguere, Chaib-draa 2017");
