/* normal: independent weights, normal with the given mean and standard deviation. */
#include <hillock/kernel.h>

HK_PARAMS({.name = "mean", .doc = "mean", .type = HK_REAL},
          {.name = "std", .doc = "standard deviation", .type = HK_REAL, .value = 0.01, .low = 0,
           .high = 1e6});

static const char *fill(const hk_context *context, const hk_weight *weight)
{
    const double mean = context->params[0], deviation = context->params[1];
    for (int64_t i = weight->first; i < weight->first + weight->count; i++)
        weight->w[i] = (float)(mean + deviation * (double)hks_normal(weight->key, (uint64_t)i));
    return NULL;
}

static const hk_initializer normal = {.traits = HK_FILLS_RANGES, .fill = fill};

HK_BUNDLE({HK_INITIALIZER_ROW(normal), .initializer = &normal,
           .params = params,
           .summary = "N(mean, std^2)",
           .source = "none"});
