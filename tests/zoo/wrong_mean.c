/* variance, "the mean is": uniform from 0 on instead of around 0 */
#include "zoo.h"

static const char *fill(const hk_context *context, const hk_weight *weight)
{
    (void)context;
    for (int64_t i = weight->first; i < weight->first + weight->count; i++)
        weight->w[i] = 0.1f * hks_uniform(weight->key, (uint64_t)i);
    return NULL;
}

static const hk_initializer animal = {.traits = HK_FILLS_RANGES, .fill = fill};
HK_BUNDLE({HK_INITIALIZER_ROW(animal), .initializer = &animal, .summary = "U(-0.05, 0.05)",
           .source = "hillock's tests"});
