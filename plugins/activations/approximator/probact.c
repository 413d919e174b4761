/* probact: relu plus normal noise in training, its size learned for each channel.
 * Shridhar et al. 2019, arXiv:1905.10761, "ProbAct: a probabilistic activation function". */
#include <hillock/kernel.h>

HK_PARAMS({.name = "start",
           .doc = "size of the noise before training",
           .type = HK_REAL,
           .value = 0.5,
           .low = 0,
           .high = 10});
HK_SLOTS({.name = "sigma",
          .doc = "size of the noise",
          .role = HK_LEARNED,
          .extent = HK_PER_CHANNEL,
          .value = 0.5,
          .low = -10,
          .high = 10});

#define NOISE ((real)a.training * hks_normal_at(a.u))
HK_VALUE(return hks_max(0, a.x) + a.t[0] * NOISE;)
HK_SLOPE(return a.x > 0 ? 1 : 0;)
HK_GRADIENT(return NOISE;)

static void start(const hk_context *context)
{
    for (int64_t j = 0; j < context->channels; j++)
        context->slots[0][j] = (float)context->params[0];
}

HK_ELEMENTWISE_LEARNED(probact, HK_READS_X | HK_STOCHASTIC, .tags = "approximator",
                       .params = params, .start = start, .formula = "max(0, x)",
                       .summary = "max(0, x) + sigma * normal noise, sigma learned",
                       .source = "Shridhar et al. 2019");
