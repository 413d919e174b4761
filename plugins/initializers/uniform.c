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
    return NULL;
}

static const hk_initializer uniform = {.traits = HK_FILLS_RANGES, .fill = fill};

HK_BUNDLE({HK_INITIALIZER_ROW(uniform), .initializer = &uniform, .params = params,
           .summary = "U(low, high)", .source = "none", .tags = "core,random"});
