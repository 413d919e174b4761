/* variance, "are the same": units 64 apart start alike and stay alike; the summary states no law */
#include "zoo.h"

static const char *fill(const hk_context *context, const hk_weight *weight)
{
    (void)context;
    const int64_t n = weight->columns;
    for (int64_t i = weight->first; i < weight->first + weight->count; i++)
        weight->w[i] = 0.1f * hks_normal(weight->key, (uint64_t)(i / n * 32 + i % n % 32));
    return NULL;
}
static const hk_initializer animal = {.traits = HK_FILLS_RANGES, .fill = fill};
HK_BUNDLE({HK_INITIALIZER_ROW(animal), .initializer = &animal, .summary = "small normal numbers",
           .source = "hillock's tests"});
