/* lecun_normal: normal with variance 1 / fan_in, for selu and for linear units.
 * LeCun, Bottou, Orr, Mueller 1998, "Efficient BackProp", section 4.6;
 * Klambauer, Unterthiner, Mayr, Hochreiter 2017, arXiv:1706.02515. */
#include <hillock/kernel.h>

static const char *fill(const hk_context *context, const hk_weight *weight)
{
    (void)context;
    hks_fill_normal(weight, 0, 1 / sqrt((double)weight->fan_in));
    return NULL;
}

static const hk_initializer lecun_normal = {.traits = HK_FILLS_RANGES, .fill = fill};

HK_BUNDLE({HK_INITIALIZER_ROW(lecun_normal), .initializer = &lecun_normal,
           .summary = "N(0, 1 / fan_in)", .source = "LeCun, Bottou, Orr, Mueller 1998",
           .tags = "core,variance"});
