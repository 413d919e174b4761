/* prelu: x where x > 0, else slope x, with a slope learned for each channel. Weight decay leaves
 * the slope alone: it would pull it towards relu.
 * He, Zhang, Ren, Sun 2015, arXiv:1502.01852, equation 1. */
#include <hillock/kernel.h>

HK_PARAMS({.name = "start",
           .doc = "slope before training",
           .type = HK_REAL,
           .value = 0.25,
           .low = -10,
           .high = 10});
HK_SLOTS({.name = "slope",
          .doc = "slope where x is negative",
          .role = HK_LEARNED,
          .extent = HK_PER_CHANNEL,
          .value = 0.25,
          .flags = HK_NO_DECAY});

HK_VALUE(return a.x > 0 ? a.x : a.t[0] * a.x;)
HK_SLOPE(return a.x > 0 ? 1 : a.t[0];)
HK_GRADIENT(return a.x > 0 ? 0 : a.x;)

static void start(const hk_context *context)
{
    for (int64_t j = 0; j < context->channels; j++)
        context->slots[0][j] = (float)context->params[0];
}

HK_ELEMENTWISE_LEARNED(prelu, HK_READS_X, .tags = "core,piecewise", .params = params,
                       .start = start, .formula = "x > 0 ? x : slope*x",
                       .summary = "x > 0 ? x : slope * x, slope learned",
                       .source = "He, Zhang, Ren, Sun 2015");
