/* uniform: independent weights, uniform in [low, high). */
#include <hillock/kernel.h>

HK_PARAMS({.name = "low", .doc = "lower bound", .type = HK_REAL, .value = -0.05},
          {.name = "high", .doc = "upper bound", .type = HK_REAL, .value = 0.05});

static const char *fill(const hk_context *context, const hk_weight *weight)
{
    const double low = context->params[0], high = context->params[1];
    if (!(low <= high))
        return "low must not exceed high";
    for (int64_t i = weight->first; i < weight->first + weight->count; i++)
        weight->w[i] = (float)(low + (high - low) * (double)hks_uniform(weight->key, (uint64_t)i));
    return NULL;
}

static const hk_initializer uniform = {.traits = HK_FILLS_RANGES, .fill = fill};

HK_BUNDLE({HK_INITIALIZER_ROW(uniform), .initializer = &uniform,
           .params = params,
           .summary = "U(low, high)",
           .source = "none"});
