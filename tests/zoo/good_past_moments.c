/* good: training, too, normalizes by what earlier batches had */
#include <hillock/moments.h>

HK_SLOTS({.name = "mean", .doc = "running mean", .role = HK_STATE, .extent = HK_PER_CHANNEL},
         {.name = "square",
          .doc = "running mean square deviation",
          .role = HK_STATE,
          .extent = HK_PER_CHANNEL,
          .value = 1});
static hk_domain domain(const hk_context *context)
{
    (void)context;
    return HK_OVER_BATCH;
}
static void frozen(const hk_context *context, float *coef)
{
    for (int64_t j = 0; j < context->channels; j++) {
        coef[j] = (float)(1 / sqrt((double)context->slots[1][j] + 1e-3));
        coef[context->channels + j] = -coef[j] * context->slots[0][j];
    }
}
static void coefficients(const hk_context *context, const hk_moments *moments, float *coef)
{
    (void)moments;
    frozen(context, coef);
}
static void gradient(const hk_context *context, const float *coef, const hk_moments *moments,
                     const double *dy, const double *dyx, float *back, float *const *dslots)
{
    (void)moments, (void)dy, (void)dyx, (void)dslots;
    memset(back, 0, 3 * (size_t)context->channels * sizeof *back);
    memcpy(back, coef, (size_t)context->channels * sizeof *back);
}
static void update(const hk_context *context, const hk_moments *moments, const float *w)
{
    (void)w;
    for (int64_t j = 0; j < context->channels; j++) {
        hks_average(&context->slots[0][j], moments->mean[j], 0.05);
        hks_average(&context->slots[1][j], moments->m2[j] / (double)moments->rows, 0.05);
    }
}

static const hk_normalization animal = {.domain = domain,
                                        .n_coef = 2,
                                        .coefficients = coefficients,
                                        .frozen = frozen,
                                        .gradient = gradient,
                                        .update = update};
HK_BUNDLE({HK_NORMALIZATION_ROW(animal), .normalization = &animal, .slots = slots,
           .summary = "(x - past mean) / past deviation", .source = "hillock's tests"});
