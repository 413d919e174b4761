/* erfact: x erf(alpha exp(beta x)), both learned for each channel.
 * Biswas, Kumar, Banerjee, Pandey 2022, AAAI, arXiv:2109.04386. */
#include <hillock/kernel.h>

enum { ALPHA, BETA };
HK_SLOTS({.name = "alpha",
          .doc = "the gate at 0 is erf(alpha)",
          .role = HK_LEARNED,
          .extent = HK_PER_CHANNEL,
          .flags = HK_NO_DECAY,
          .value = 0.75,
          .low = 0.01,
          .high = 100},
         {.name = "beta",
          .doc = "steepness of the gate",
          .role = HK_LEARNED,
          .extent = HK_PER_CHANNEL,
          .flags = HK_NO_DECAY,
          .value = 0.75,
          .low = 0.01,
          .high = 100});

#define SQRT_2 1.41421356237309504880
#define TWO_OVER_SQRT_PI 1.12837916709551257390
#define GROWN hks_quick_exp(hks_min(20, a.t[BETA] * a.x))

HK_VALUE(return a.x * hks_erf(a.t[ALPHA] * GROWN);)
HK_SLOPE(const real u = a.t[ALPHA] * GROWN;
         const real bell = (real)TWO_OVER_SQRT_PI * hks_bell((real)SQRT_2 * u);
         return 2 * hks_normal_cdf((real)SQRT_2 * u) - 1 + a.x * (bell * u) * a.t[BETA];)
HK_GRADIENT(const real u = a.t[ALPHA] * GROWN;
            const real by_u = a.x * ((real)TWO_OVER_SQRT_PI * hks_bell((real)SQRT_2 * u));
            return slot == ALPHA ? by_u * GROWN : by_u * u * a.x;)

HK_ELEMENTWISE_LEARNED(erfact, HK_READS_X, .aliases = "erf_act", .tags = "gated",
                       .formula = "x*erf(alpha*exp(beta*x))",
                       .summary = "x * erf(alpha * exp(beta * x)), both learned",
                       .source = "Biswas, Kumar, Banerjee, Pandey 2022");
