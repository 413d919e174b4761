/* evaluation, "its doc states": the running variance is divided by n where n - 1 is stated */
#include "zoo.h"

HK_SLOTS({.name = "mean", .doc = "average of the batches' means", .role = HK_STATE,
          .extent = HK_PER_CHANNEL},
         {.name = "variance", .doc = "average of the batches' unbiased variances",
          .role = HK_STATE, .extent = HK_PER_CHANNEL, .value = 1});

static hk_domain domain(const hk_context *context)
{
    return (void)context, HK_OVER_BATCH;
}

static void coefficients(const hk_context *context, const hk_moments *seen, float *coef)
{
    for (int64_t j = 0; j < context->channels; j++) {
        coef[j] = (float)(1 / sqrt(seen->m2[j] / (double)seen->rows + 1e-5));
        coef[context->channels + j] = (float)(-seen->mean[j] * (double)coef[j]);
    }
}

static void gradient(const hk_context *context, const float *coef, const hk_moments *seen,
                     const double *sum_dy, const double *sum_dyx, float *bcoef,
                     float *const *dslots)
{
    (void)dslots;
    for (int64_t j = 0; j < context->channels; j++) {
        const double n = seen ? (double)seen->rows : 1, scale = (double)coef[j];
        const double slope = seen ? -scale * scale * scale * sum_dyx[j] / n : 0;
        bcoef[j] = coef[j];
        bcoef[context->channels + j] = (float)slope;
        bcoef[2 * context->channels + j] =
            seen ? (float)(-scale * sum_dy[j] / n - slope * seen->mean[j]) : 0;
    }
}

static void frozen(const hk_context *context, float *coef)
{
    for (int64_t j = 0; j < context->channels; j++) {
        coef[j] = (float)(1 / sqrt((double)context->slots[1][j] + 1e-5));
        coef[context->channels + j] = -context->slots[0][j] * coef[j];
    }
}

static void update(const hk_context *context, const hk_moments *seen, const float *weight)
{
    (void)weight;
    for (int64_t j = 0; j < context->channels; j++) {
        const float variance = (float)(seen->m2[j] / (double)(seen->rows));
        context->slots[0][j] += 0.1f * ((float)seen->mean[j] - context->slots[0][j]);
        context->slots[1][j] += 0.1f * (variance - context->slots[1][j]);
    }
}

static const hk_normalization norm = {.domain = domain, .n_coef = 2, .coefficients = coefficients,
                                      .gradient = gradient,
                                      .frozen = frozen, .update = update};
HK_BUNDLE({HK_NORMALIZATION_ROW(animal), .normalization = &norm, .slots = slots, WORDS});
