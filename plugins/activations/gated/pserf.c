/* pserf: x erf(gamma softplus(delta x)), both learned for each channel; serf has 1 and 1. Above
 * delta x = 100 the gate is 1 to the last bit.
 * Biswas, Kumar, Banerjee, Pandey 2022, AAAI, arXiv:2109.04386. */
#include <hillock/kernel.h>

enum { GAMMA, DELTA };
HK_SLOTS({.name = "gamma",
          .doc = "height of the gate's argument",
          .role = HK_LEARNED,
          .extent = HK_PER_CHANNEL,
          .flags = HK_NO_DECAY,
          .value = 1.25,
          .low = 0.1,
          .high = 100},
         {.name = "delta",
          .doc = "steepness of the gate's argument",
          .role = HK_LEARNED,
          .extent = HK_PER_CHANNEL,
          .flags = HK_NO_DECAY,
          .value = 0.85,
          .low = 0.1,
          .high = 100});

#define SQRT_2 1.41421356237309504880
#define TWO_OVER_SQRT_PI 1.12837916709551257390
#define V hks_min(100, a.t[DELTA] * a.x)

HK_VALUE(return a.x * hks_erf(a.t[GAMMA] * hks_softplus(V));)
HK_SLOPE(const real u = a.t[GAMMA] * hks_softplus(V);
         const real bell = (real)TWO_OVER_SQRT_PI * hks_bell((real)SQRT_2 * u);
         const real erf = 2 * hks_normal_cdf((real)SQRT_2 * u) - 1;
         return erf + bell * (a.x * hks_sigmoid(V)) * (a.t[GAMMA] * a.t[DELTA]);)
HK_GRADIENT(const real u = a.t[GAMMA] * hks_softplus(V);
            const real by_u = a.x * ((real)TWO_OVER_SQRT_PI * hks_bell((real)SQRT_2 * u));
            return by_u * (slot == GAMMA ? hks_softplus(V) : a.t[GAMMA] * a.x * hks_sigmoid(V));)

HK_ELEMENTWISE_LEARNED(pserf, HK_READS_X, .tags = "gated",
                       .formula = "x*erf(gamma*softplus(delta*x))",
                       .summary = "x * erf(gamma * log(1 + exp(delta * x))), both learned",
                       .source = "Biswas, Kumar, Banerjee, Pandey 2022");
