/* he_normal: normal with variance gain^2 / fan_in, which keeps the mean square from layer to
 * layer when gain = 1 / sqrt(E[f(z)^2]), z normal, for the activation f that follows: sqrt(2) for
 * relu.
 * He, Zhang, Ren, Sun 2015, arXiv:1502.01852, section 2.2. */
#include <hillock/kernel.h>

HK_PARAMS({.name = "gain",
           .doc = "factor of the deviation; 0: the gain of the activation that follows",
           .type = HK_REAL,
           .value = 0,
           .low = 0,
           .high = 1000});

static const char *fill(const hk_context *context, const hk_weight *weight)
{
    const double gain = context->params[0] > 0 ? context->params[0] : weight->gain;
    hks_fill_normal(weight, 0, gain / sqrt((double)weight->fan_in));
    return NULL;
}

static const hk_initializer he_normal = {.traits = HK_FILLS_RANGES, .fill = fill};

HK_BUNDLE({HK_INITIALIZER_ROW(he_normal), .initializer = &he_normal, .aliases = "kaiming_normal",
           .params = params, .summary = "N(0, gain^2 / fan_in)",
           .source = "He, Zhang, Ren, Sun 2015", .tags = "core,variance"});
