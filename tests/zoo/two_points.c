/* variance, "kurtosis": one of two numbers, called uniform */
#include "zoo.h"

static const char *fill(const hk_context *context, const hk_weight *weight)
{
    (void)context;
    const float size = 1 / sqrtf((float)weight->fan_in);
    for (int64_t i = weight->first; i < weight->first + weight->count; i++)
        weight->w[i] = hks_uniform(weight->key, (uint64_t)i) < 0.5f ? -size : size;
    return NULL;
}
static const hk_initializer animal = {.traits = HK_FILLS_RANGES, .fill = fill};
HK_BUNDLE({HK_INITIALIZER_ROW(animal), .initializer = &animal,
           .summary = "U(-b, b), b = sqrt(3 / fan_in)", .source = "hillock's tests"});
