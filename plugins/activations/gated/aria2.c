/* aria2: x sigmoid(beta x)^alpha, alpha and beta learned for each channel; the power is
 * exp(-alpha softplus(-beta x)). Below beta x = -1000 the gate is 0 for every alpha allowed.
 * Patwardhan, Ingalhalikar, Walambe 2018, arXiv:1805.08878. */
#include <hillock/kernel.h>

enum { ALPHA, BETA };
HK_SLOTS({.name = "alpha",
          .doc = "power of the gate",
          .role = HK_LEARNED,
          .extent = HK_PER_CHANNEL,
          .flags = HK_NO_DECAY,
          .value = 1.5,
          .low = 0.1,
          .high = 100},
         {.name = "beta",
          .doc = "steepness of the gate",
          .role = HK_LEARNED,
          .extent = HK_PER_CHANNEL,
          .flags = HK_NO_DECAY,
          .value = 1,
          .low = 0.01,
          .high = 100});

#define V hks_max(-1000, a.t[BETA] * a.x)
#define GATE hks_quick_exp(-a.t[ALPHA] * hks_softplus(-V))

HK_VALUE(return a.x * GATE;)
HK_SLOPE(return GATE + a.x * GATE * hks_sigmoid(-V) * (a.t[ALPHA] * a.t[BETA]);)
HK_GRADIENT(const real y = a.x * GATE;
            return slot == ALPHA ? -y * hks_softplus(-V) : y * hks_sigmoid(-V) * a.x * a.t[ALPHA];)

HK_ELEMENTWISE_LEARNED(aria2, HK_READS_X, .aliases = "aria_2", .tags = "gated",
                       .formula = "x*exp(-alpha*softplus(-beta*x))",
                       .summary = "x * (1 + exp(-beta * x))^-alpha, both learned",
                       .source = "Patwardhan, Ingalhalikar, Walambe 2018");
