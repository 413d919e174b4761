/* slots, "after": a channel whose activity is 0 makes its state infinite */
#include "zoo.h"

HK_SLOTS({.name = "boost",
          .doc = "1 / activity",
          .role = HK_STATE,
          .extent = HK_PER_CHANNEL,
          .value = 1});
HK_VALUE(return a.x < 0 ? 0 : a.x;)
HK_SLOPE(return a.x < 0 ? 0 : 1;)
HK_SUM(return a.y;)
static void update(const hk_context *context, const hk_activity *seen)
{
    for (int64_t j = 0; j < context->channels; j++)
        context->slots[0][j] = (float)((double)seen->rows / seen->sums[j]);
}
HK_ELEMENTWISE_ADAPTIVE(animal, HK_READS_X, update, WORDS);
