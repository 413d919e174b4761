/* snake: x + sin(a x)^2 / a, a learned for each channel; periodic data want a start of 5 to 50.
 * Liu Ziyin, Hartwig, Ueda 2020, arXiv:2006.08195. */
#include <hillock/kernel.h>

HK_PARAMS({.name = "start",
           .doc = "a before training",
           .type = HK_REAL,
           .value = 1,
           .low = 0.01,
           .high = 1000});
HK_SLOTS({.name = "a",
          .doc = "frequency",
          .role = HK_LEARNED,
          .extent = HK_PER_CHANNEL,
          .flags = HK_NO_DECAY,
          .value = 1,
          .low = 0.01,
          .high = 1000});

#define SIN hks_sin(a.t[0] * a.x)
#define COS hks_cos(a.t[0] * a.x)
HK_VALUE(return a.x + SIN * SIN / a.t[0];)
HK_SLOPE(return 1 + 2 * SIN * COS;)
HK_GRADIENT(const real r = 1 / a.t[0]; return SIN * (2 * a.x * COS - SIN * r) * r;)

static void start(const hk_context *context)
{
    for (int64_t j = 0; j < context->channels; j++)
        context->slots[0][j] = (float)context->params[0];
}

HK_ELEMENTWISE_LEARNED(snake, HK_READS_X, .tags = "periodic", .params = params, .start = start,
                       .formula = "x + sin(a*x)^2/a", .summary = "x + sin(a * x)^2 / a, a learned",
                       .source = "Liu Ziyin, Hartwig, Ueda 2020");
