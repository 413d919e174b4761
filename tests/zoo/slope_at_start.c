/* derivative, "scale = ": the factor that update() learns, 1 at the start, is missing in the slope */
#include "zoo.h"

HK_SLOTS({.name = "scale",
          .doc = "mean |x|",
          .role = HK_STATE,
          .extent = HK_PER_CHANNEL,
          .value = 1,
          .low = 0.01,
          .high = 100});
HK_VALUE(return a.t[0] * hks_tanh(a.x);)
HK_SLOPE(return hks_sech2(a.x);)
HK_SUM(return hks_abs(a.x);)
static void update(const hk_context *context, const hk_activity *seen)
{
    for (int64_t j = 0; j < context->channels; j++)
        context->slots[0][j] +=
            0.5f * ((float)(seen->sums[j] / (double)seen->rows) - context->slots[0][j]);
}
HK_ELEMENTWISE_ADAPTIVE(animal, HK_READS_X, update, WORDS);
