/* xavier_uniform: uniform with variance gain^2 2 / (fan_in + fan_out), a compromise that keeps the
 * variance of both activations and gradients near a linear unit.
 * Glorot, Bengio 2010, AISTATS, equation 16. */
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
    const double bound = gain * sqrt(6.0 / (double)(weight->fan_in + weight->fan_out));
    hks_fill_uniform(weight, -bound, bound);
    return NULL;
}

static const hk_initializer xavier_uniform = {.traits = HK_FILLS_RANGES, .fill = fill};

HK_BUNDLE({HK_INITIALIZER_ROW(xavier_uniform), .initializer = &xavier_uniform,
           .aliases = "glorot_uniform", .params = params,
           .summary = "U(-b, b), b = gain * sqrt(6 / (fan_in + fan_out))",
           .source = "Glorot, Bengio 2010", .tags = "core,variance"});
