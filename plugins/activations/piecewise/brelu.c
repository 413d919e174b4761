/* brelu: bipolar relu, max(0, x) in even channels and min(0, x) in odd ones, which keeps the mean
 * over channels near 0. The side of a channel lies in a slot: it is read much faster than the
 * parity of an index is found.
 * Eidnes, Nokland 2017, arXiv:1709.04054, "Shifting mean activation towards zero with bipolar
 * activation functions". */
#include <hillock/kernel.h>

HK_SLOTS({.name = "side",
          .doc = "1: positive values pass, -1: negative ones",
          .role = HK_STATE,
          .extent = HK_PER_CHANNEL,
          .value = 1});

HK_VALUE(return a.t[0] * a.x < 0 ? 0 : a.x;)
HK_SLOPE(return a.y == 0 ? 0 : 1;)
HK_GRADIENT(return 0;)

static void start(const hk_context *context)
{
    for (int64_t j = 0; j < context->channels; j++)
        context->slots[0][j] = j % 2 ? -1 : 1;
}

HK_ELEMENTWISE_LEARNED(brelu, HK_READS_Y, .aliases = "bipolar_relu", .tags = "piecewise",
                       .start = start, .formula = "side*x < 0 ? 0 : x",
                       .summary = "even channels max(0, x), odd channels min(0, x)",
                       .source = "Eidnes, Nokland 2017");
