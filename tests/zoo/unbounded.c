/* degenerate, "only zeros": divides by a variance of 0 */
#include "zoo.h"

static hk_domain domain(const hk_context *context)
{
    return (void)context, HK_OVER_BATCH;
}

static void coefficients(const hk_context *context, const hk_moments *seen, float *coef)
{
    for (int64_t j = 0; j < context->channels; j++) {
        coef[j] = (float)(1 / sqrt(seen->rows > 1 ? seen->m2[j] / (double)seen->rows : 1));
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

static const hk_normalization norm = {
    .domain = domain, .n_coef = 2, .coefficients = coefficients, .gradient = gradient};
HK_BUNDLE({HK_NORMALIZATION_ROW(animal), .normalization = &norm, WORDS});
