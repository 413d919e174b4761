/* good: a batch normalization that only takes the mean off */
#include "zoo.h"

static hk_domain domain(const hk_context *context)
{
    return (void)context, HK_OVER_BATCH;
}

static void coefficients(const hk_context *context, const hk_moments *seen, float *coef)
{
    for (int64_t j = 0; j < context->channels; j++) {
        coef[j] = 1;
        coef[context->channels + j] = (float)-seen->mean[j];
    }
}

static void gradient(const hk_context *context, const float *coef, const hk_moments *seen,
                     const double *sum_dy, const double *sum_dyx, float *bcoef,
                     float *const *dslots)
{
    (void)coef, (void)sum_dyx, (void)dslots;
    for (int64_t j = 0; j < context->channels; j++) {
        bcoef[j] = 1;
        bcoef[context->channels + j] = 0;
        bcoef[2 * context->channels + j] = (float)(-sum_dy[j] / (double)seen->rows);
    }
}

static const hk_normalization centred = {
    .domain = domain, .n_coef = 2, .coefficients = coefficients, .gradient = gradient};
HK_BUNDLE({HK_NORMALIZATION_ROW(animal), .normalization = &centred, WORDS});
