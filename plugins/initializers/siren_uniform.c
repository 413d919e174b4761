/* siren_uniform: for nets of sine units, sin(w0 (W x + b)): uniform in (-b, b), b = 1 / fan_in in
 * the first layer, else sqrt(6 / fan_in) / w0, so that what a sine sees has unit variance.
 * Sitzmann, Martel, Bergman, Lindell, Wetzstein 2020, arXiv:2006.09661, section 3.2. */
#include <hillock/kernel.h>

HK_PARAMS({.name = "w0",
           .doc = "frequency of the sine that follows",
           .type = HK_REAL,
           .flags = HK_LOW_OPEN,
           .value = 30,
           .low = 0,
           .high = 1e6});

static const char *fill(const hk_context *context, const hk_weight *weight)
{
    const double n = (double)weight->fan_in;
    const double bound = weight->first_layer ? 1 / n : sqrt(6 / n) / context->params[0];
    hks_fill_uniform(weight, -bound, bound);
    return NULL;
}

static const hk_initializer siren_uniform = {.traits = HK_FILLS_RANGES, .fill = fill};

HK_BUNDLE({HK_INITIALIZER_ROW(siren_uniform), .initializer = &siren_uniform, .aliases = "siren",
           .params = params,
           .summary = "U(-b, b), b = sqrt(6 / fan_in) / w0, first layer 1 / fan_in",
           .source = "Sitzmann, Martel, Bergman, Lindell, Wetzstein 2020", .tags = "variance"});
