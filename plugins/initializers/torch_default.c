/* torch_default: weights and bias uniform in (-b, b), b = 1 / sqrt(fan_in): what PyTorch's Linear
 * and Conv2d start with (it writes he_uniform with the slope sqrt(5) of a leaky relu). The variance
 * is a third of lecun_uniform's. */
#include <hillock/kernel.h>

static const char *fill(const hk_context *context, const hk_weight *weight)
{
    (void)context;
    const double bound = 1 / sqrt((double)weight->fan_in);
    hks_fill_uniform(weight, -bound, bound);
    const hk_weight bias = {.w = weight->bias, .count = weight->columns, .key = weight->key + 1};
    if (weight->bias)
        hks_fill_uniform(&bias, -bound, bound);
    return NULL;
}

static const hk_initializer torch_default = {.traits = HK_FILLS_BIAS, .fill = fill};

HK_BUNDLE({HK_INITIALIZER_ROW(torch_default), .initializer = &torch_default,
           .aliases = "pytorch_default",
           .summary = "weight and bias U(-b, b), b = 1 / sqrt(fan_in)", .source = "PyTorch 1.0",
           .tags = "core,variance"});
