/* lecun_uniform: uniform with variance 1 / fan_in, for selu and for linear units.
 * LeCun, Bottou, Orr, Mueller 1998, "Efficient BackProp", section 4.6, with uniform weights. */
#include <hillock/kernel.h>

static const char *fill(const hk_context *context, const hk_weight *weight)
{
    (void)context;
    const double bound = sqrt(3.0 / (double)weight->fan_in);
    hks_fill_uniform(weight, -bound, bound);
    return NULL;
}

static const hk_initializer lecun_uniform = {.traits = HK_FILLS_RANGES, .fill = fill};

HK_BUNDLE({HK_INITIALIZER_ROW(lecun_uniform), .initializer = &lecun_uniform,
           .summary = "U(-b, b), b = sqrt(3 / fan_in)",
           .source = "LeCun, Bottou, Orr, Mueller 1998", .tags = "variance"});
