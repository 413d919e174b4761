/* slots, "after": a rule that runs away: each step makes the next one larger */
#include "zoo.h"

HK_SLOTS({.name = "theta", .doc = "threshold", .role = HK_STATE, .extent = HK_PER_CHANNEL});

static void update(const hk_context *context, const hk_activity *seen)
{
    for (int64_t j = 0; j < context->channels; j++) {
        const double activity = seen->sums[j] / (double)seen->rows;
        context->slots[0][j] = (float)(2 * (double)context->slots[0][j] + activity);
    }
}

HK_VALUE(return hks_sigmoid(a.x - a.t[0]);)
HK_SLOPE(return a.y * (1 - a.y);)
HK_SUM(return a.y;)
HK_ELEMENTWISE_ADAPTIVE(animal, HK_READS_Y, update, WORDS);
