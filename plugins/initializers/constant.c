/* constant: every weight the same. For tests and gates; a hidden layer needs different weights. */
#include <hillock/kernel.h>

HK_PARAMS({.name = "value", .doc = "the value of every weight", .type = HK_REAL});

static const char *fill(const hk_context *context, const hk_weight *weight)
{
    for (int64_t i = 0; i < weight->count; i++)
        weight->w[weight->first + i] = (float)context->params[0];
    return NULL;
}

static const hk_initializer constant = {.traits = HK_FILLS_RANGES, .fill = fill};

HK_BUNDLE({HK_INITIALIZER_ROW(constant), .initializer = &constant,
           .params = params,
           .summary = "value",
           .source = "none"});
