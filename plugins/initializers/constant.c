/* constant, zeros, ones: every weight the same. For tests, gates and the last layer of a residual
 * branch; a hidden layer needs weights that differ. */
#include <hillock/kernel.h>

HK_PARAMS({.name = "value", .doc = "the value of every weight", .type = HK_REAL});

static const char *fill_with(const hk_weight *weight, float value)
{
    for (int64_t i = weight->first; i < weight->first + weight->count; i++)
        weight->w[i] = value;
    return NULL;
}

static const char *fill(const hk_context *context, const hk_weight *weight)
{
    return fill_with(weight, (float)context->params[0]);
}

static const char *fill_zeros(const hk_context *context, const hk_weight *weight)
{
    (void)context;
    return fill_with(weight, 0);
}

static const char *fill_ones(const hk_context *context, const hk_weight *weight)
{
    (void)context;
    return fill_with(weight, 1);
}

static const hk_initializer constant = {.traits = HK_FILLS_RANGES, .fill = fill};
static const hk_initializer zeros = {.traits = HK_FILLS_RANGES, .fill = fill_zeros};
static const hk_initializer ones = {.traits = HK_FILLS_RANGES, .fill = fill_ones};

HK_BUNDLE({HK_INITIALIZER_ROW(constant), .initializer = &constant, .params = params,
           .summary = "value", .source = "none", .tags = "fixed"},
          {HK_INITIALIZER_ROW(zeros), .initializer = &zeros, .summary = "0", .source = "none",
           .tags = "fixed"},
          {HK_INITIALIZER_ROW(ones), .initializer = &ones, .summary = "1", .source = "none",
           .tags = "fixed"});
