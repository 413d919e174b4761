/* trunc_normal: independent weights, normal with the given mean and deviation, and drawn again
 * while outside [low, high]. The bounds are weights, not deviations, and `std` is the deviation
 * before the cut, as in PyTorch; the defaults cut at two deviations, as Keras does. */
#include <hillock/kernel.h>

enum { MEAN, STD, LOW, HIGH };
HK_PARAMS({.name = "mean", .doc = "mean before the cut", .type = HK_REAL},
          {.name = "std",
           .doc = "standard deviation before the cut",
           .type = HK_REAL,
           .flags = HK_LOW_OPEN,
           .value = 0.05,
           .low = 0,
           .high = 1e6},
          {.name = "low", .doc = "least weight", .type = HK_REAL, .value = -0.1},
          {.name = "high", .doc = "greatest weight", .type = HK_REAL, .value = 0.1});

/* P(z <= x) of a standard normal z. */
static float share_below(double x)
{
    return 0.5f * hks_erfc((float)(-x * 0.7071067811865476));
}

static const char *fill(const hk_context *context, const hk_weight *weight)
{
    const double mean = context->params[MEAN], deviation = context->params[STD];
    const double low = (context->params[LOW] - mean) / deviation;
    const double high = (context->params[HIGH] - mean) / deviation;
    if (!(share_below(high) - share_below(low) >= 0.01f))
        return "between low and high lies less than a hundredth of the distribution";
    for (int64_t i = weight->first; i < weight->first + weight->count; i++) {
        float z = hks_truncated_normal(weight->key, (uint64_t)i, (float)low, (float)high);
        weight->w[i] = (float)(mean + deviation * (double)z);
    }
    return NULL;
}

static const hk_initializer trunc_normal = {.traits = HK_FILLS_RANGES, .fill = fill};

HK_BUNDLE({HK_INITIALIZER_ROW(trunc_normal), .initializer = &trunc_normal,
           .aliases = "truncated_normal", .params = params,
           .summary = "N(mean, std^2) cut to [low, high]", .source = "none", .tags = "random"});
