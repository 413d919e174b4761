/* normal: independent weights, normal with the given mean and standard deviation. */
#include <hillock/kernel.h>

enum { MEAN, STD };
HK_PARAMS({.name = "mean", .doc = "mean", .type = HK_REAL}, {.name = "std",
                                                             .doc = "standard deviation",
                                                             .type = HK_REAL,
                                                             .value = 0.01,
                                                             .low = 0,
                                                             .high = 1e6});

static const char *fill(const hk_context *context, const hk_weight *weight)
{
    hks_fill_normal(weight, context->params[MEAN], context->params[STD]);
    return NULL;
}

static const hk_initializer normal = {.traits = HK_FILLS_RANGES, .fill = fill};

HK_BUNDLE({HK_INITIALIZER_ROW(normal), .initializer = &normal, .params = params,
           .summary = "N(mean, std^2)", .source = "none", .tags = "core,random"});
