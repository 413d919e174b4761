/* An initializer of the contract's first day: uniform of variance gain^2 / fan in. */
#include <hillock/kernel.h>

static const char *fill(const hk_context *context, const hk_weight *weight)
{
    const double bound = weight->gain * sqrt(3.0 / (double)weight->fan_in);
    (void)context;
    hks_fill_uniform(weight, -bound, bound);
    return NULL;
}

static const hk_initializer even = {.traits = HK_FILLS_RANGES, .fill = fill};
HK_BUNDLE({HK_INITIALIZER_ROW(even), .initializer = &even,
           .summary = "uniform, variance gain^2 / fan_in", .source = "Hillock"});
