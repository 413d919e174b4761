/* slots, "not at those of channel 1": update() moves the thresholds of all channels by what channel 0 did */
#include "zoo.h"

HK_SLOTS({.name = "from", .doc = "threshold", .role = HK_STATE, .extent = HK_PER_CHANNEL});
HK_VALUE(return hks_tanh(a.x - a.t[0]);)
HK_SLOPE(return hks_sech2(a.x - a.t[0]);)
HK_SUM(return a.x > a.t[0] ? 1 : 0;)

static void update(const hk_context *context, const hk_activity *seen)
{
    for (int64_t j = 0; j < context->channels; j++)
        context->slots[0][j] += 0.1f * (float)(seen->sums[0] / (double)seen->rows - 0.5);
}

HK_ELEMENTWISE_ADAPTIVE(update_one_channel, HK_READS_X, update, WORDS);
