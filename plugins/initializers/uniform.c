/* uniform: independent weights, uniform in [low, high). */
#include <hillock/kernel.h>

enum { LOW, HIGH };
HK_PARAMS({.name = "low", .doc = "lower bound", .type = HK_REAL, .value = -0.05},
          {.name = "high", .doc = "upper bound", .type = HK_REAL, .value = 0.05});

static const char *fill(const hk_context *context, const hk_weight *weight)
{
    if (!(context->params[LOW] <= context->params[HIGH]))
        return "low must not exceed high";
    hks_fill_uniform(weight, context->params[LOW], context->params[HIGH]);
    /* Far from 0 a sum is rounded to `high`, which is no value of the law. */
    const float high = (float)context->params[HIGH], most = nextafterf(high, -INFINITY);
    for (int64_t i = weight->first; i < weight->first + weight->count; i++)
        if (weight->w[i] >= high && (float)context->params[LOW] < high)
            weight->w[i] = most;
    return NULL;
}

static const hk_initializer uniform = {.traits = HK_FILLS_RANGES, .fill = fill};

HK_BUNDLE({HK_INITIALIZER_ROW(uniform), .initializer = &uniform, .params = params,
           .summary = "U(low, high)", .source = "none", .tags = "core,random"});
