/* acon_c: (p1 - p2) x sigmoid(beta (p1 - p2) x) + p2 x, a smooth max(p1 x, p2 x), all three learned
 * for each channel; p1 = 1, p2 = 0 is swish. p1 and p2 start as normal numbers. As a mean of the
 * two slopes it does not cancel.
 * Ma, Zhang, Liu, Sun 2020, arXiv:2009.04759, equation 6. */
#include <hillock/kernel.h>

enum { P1, P2, BETA };
HK_SLOTS({.name = "p1",
          .doc = "one of the two slopes",
          .role = HK_LEARNED,
          .extent = HK_PER_CHANNEL,
          .flags = HK_NO_DECAY},
         {.name = "p2",
          .doc = "the other",
          .role = HK_LEARNED,
          .extent = HK_PER_CHANNEL,
          .flags = HK_NO_DECAY},
         {.name = "beta",
          .doc = "sharpness of the bend; 0: linear",
          .role = HK_LEARNED,
          .extent = HK_PER_CHANNEL,
          .flags = HK_NO_DECAY,
          .value = 1});

#define D (a.t[P1] - a.t[P2])
#define OPEN hks_quick_sigmoid(a.t[BETA] * D * a.x)
#define SHUT hks_quick_sigmoid(-a.t[BETA] * D * a.x)
#define BEND (D * (a.x * OPEN * SHUT))
#define BY_P1 (OPEN + a.t[BETA] * BEND)
#define BY_P2 (SHUT - a.t[BETA] * BEND)

HK_VALUE(return a.x * (a.t[P1] * OPEN + a.t[P2] * SHUT);)
HK_SLOPE(return a.t[P1] * BY_P1 + a.t[P2] * BY_P2;)
HK_GRADIENT(return slot == BETA ? D * a.x * BEND : a.x * (slot == P1 ? BY_P1 : BY_P2);)

static void start(const hk_context *context)
{
    for (int64_t j = 0; j < 2 * context->channels; j++)
        context->slots[j & 1 ? P2 : P1][j / 2] = hks_normal(context->key, (uint64_t)j);
}

HK_ELEMENTWISE_LEARNED(
    acon_c, HK_READS_X, .aliases = "acon", .tags = "gated", .start = start,
    .formula = "x*(p1*sigmoid(beta*(p1 - p2)*x) + p2*sigmoid(-beta*(p1 - p2)*x))",
    .summary = "(p1 - p2) * x * sigmoid(beta * (p1 - p2) * x) + p2 * x, learned",
    .source = "Ma, Zhang, Liu, Sun 2020");
