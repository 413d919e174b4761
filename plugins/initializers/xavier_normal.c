/* xavier_normal: normal with variance gain^2 2 / (fan_in + fan_out).
 * Glorot, Bengio 2010, AISTATS, equation 12, with normal weights. */
#include <hillock/kernel.h>

HK_PARAMS({.name = "gain",
           .doc = "factor of the deviation; 0: the gain of the activation that follows",
           .type = HK_REAL,
           .value = 1,
           .low = 0,
           .high = 1000});

static const char *fill(const hk_context *context, const hk_weight *weight)
{
    const double gain = context->params[0] > 0 ? context->params[0] : weight->gain;
    hks_fill_normal(weight, 0, gain * sqrt(2.0 / (double)(weight->fan_in + weight->fan_out)));
    return NULL;
}

static const hk_initializer xavier_normal = {.traits = HK_FILLS_RANGES, .fill = fill};

HK_BUNDLE({HK_INITIALIZER_ROW(xavier_normal), .initializer = &xavier_normal,
           .aliases = "glorot_normal", .params = params,
           .summary = "N(0, gain^2 * 2 / (fan_in + fan_out))", .source = "Glorot, Bengio 2010",
           .tags = "core,variance"});
