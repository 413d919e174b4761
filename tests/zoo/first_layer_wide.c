/* variance, "first layer": the first layer gets twice the deviation, of which nothing is said */
#include "zoo.h"

static const char *fill(const hk_context *context, const hk_weight *weight)
{
    (void)context;
    const double deviation = (weight->first_layer ? 2 : 1) / sqrt((double)weight->fan_in);
    for (int64_t i = weight->first; i < weight->first + weight->count; i++)
        weight->w[i] = (float)deviation * hks_normal(weight->key, (uint64_t)i);
    return NULL;
}
static const hk_initializer animal = {.traits = HK_FILLS_RANGES, .fill = fill};
HK_BUNDLE({HK_INITIALIZER_ROW(animal), .initializer = &animal, .summary = "N(0, 1 / fan_in)",
           .source = "hillock's tests"});
