/* variance_scaling: variance scale / fan, the general form: he is scale 2 by fan_in, xavier scale 1
 * by the mean of both, lecun scale 1 by fan_in. Names and defaults are those of Keras.
 * truncated: normal cut at two deviations, widened so that the variance is as asked after the cut,
 * as a normal cut there has a deviation of 0.8796 (Robert 1995, arXiv:0907.4010). */
#include <hillock/kernel.h>

enum { SCALE, FAN, DISTRIBUTION };
enum { FAN_IN, FAN_OUT, FAN_AVG };
enum { TRUNCATED, NORMAL, UNIFORM };
HK_PARAMS({.name = "scale",
           .doc = "numerator of the variance",
           .type = HK_REAL,
           .flags = HK_LOW_OPEN,
           .value = 1,
           .low = 0,
           .high = 1e6},
          {.name = "fan",
           .doc = "denominator of the variance",
           .type = HK_CHOICE,
           .choices = "in|out|avg",
           .value = FAN_IN},
          {.name = "distribution",
           .doc = "of one weight",
           .type = HK_CHOICE,
           .choices = "truncated|normal|uniform",
           .value = TRUNCATED});

static double fan_of(const hk_weight *weight, double choice)
{
    const double in = (double)weight->fan_in, out = (double)weight->fan_out;
    return choice == FAN_IN ? in : choice == FAN_OUT ? out : (in + out) / 2;
}

static void fill_truncated(const hk_weight *weight, double deviation)
{
    const double widened = deviation / 0.87962566103423978;
    for (int64_t i = weight->first; i < weight->first + weight->count; i++)
        weight->w[i] =
            (float)(widened * (double)hks_truncated_normal(weight->key, (uint64_t)i, -2, 2));
}

static const char *fill(const hk_context *context, const hk_weight *weight)
{
    const double *p = context->params;
    const double deviation = sqrt(p[SCALE] / fan_of(weight, p[FAN])), bound = sqrt(3) * deviation;
    if (p[DISTRIBUTION] == UNIFORM)
        hks_fill_uniform(weight, -bound, bound);
    else if (p[DISTRIBUTION] == NORMAL)
        hks_fill_normal(weight, 0, deviation);
    else
        fill_truncated(weight, deviation);
    return NULL;
}

static const hk_initializer variance_scaling = {.traits = HK_FILLS_RANGES, .fill = fill};

HK_BUNDLE({HK_INITIALIZER_ROW(variance_scaling), .initializer = &variance_scaling, .params = params,
           .summary = "variance scale / fan",
           .source = "He, Zhang, Ren, Sun 2015, generalized in Keras", .tags = "variance"});
