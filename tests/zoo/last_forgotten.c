/* memory, "was not written": the last element is left out */
#include "zoo.h"

static const char *fill(const hk_context *context, const hk_weight *weight)
{
    (void)context;
    const float deviation = (float)(sqrt(2.0 / (double)weight->fan_in));
    for (int64_t i = weight->first; i < weight->first + weight->count - 1; i++)
        weight->w[i] = deviation * hks_normal(weight->key, (uint64_t)i);
    return NULL;
}

static const hk_initializer animal = {.traits = HK_FILLS_RANGES, .fill = fill};
HK_BUNDLE({HK_INITIALIZER_ROW(animal), .initializer = &animal, .summary = "N(0, 2 / fan_in)",
           .source = "hillock's tests"});
