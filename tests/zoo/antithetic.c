/* variance, "have a correlation": every other weight is the negative of the one before */
#include "zoo.h"

static const char *fill(const hk_context *context, const hk_weight *weight)
{
    (void)context;
    const float deviation = 1 / sqrtf((float)weight->fan_in);
    for (int64_t i = weight->first; i < weight->first + weight->count; i++)
        weight->w[i] =
            (i % 2 ? -deviation : deviation) * hks_normal(weight->key, (uint64_t)(i / 2));
    return NULL;
}
static const hk_initializer animal = {.traits = HK_FILLS_RANGES, .fill = fill};
HK_BUNDLE({HK_INITIALIZER_ROW(animal), .initializer = &animal, .summary = "N(0, 1 / fan_in)",
           .source = "hillock's tests"});
