/* good: a set of one row has gradient 0, of terms that cancel but for their rounding */
#include "batch.h"

static hk_domain over_sample(const hk_context *context)
{
    return (void)context, HK_OVER_SAMPLE;
}

static void coefficients(const hk_context *context, const hk_moments *seen, float *coef)
{
    const int64_t n = context->channels;
    for (int64_t j = 0; j < n; j++) {
        const double r = 1 / sqrt(seen->m2[j] / (double)seen->rows + 1e-5);
        coef[j] = (float)r;
        coef[n + j] = (float)(-seen->mean[j] * r);
    }
}

static void gradient(const hk_context *context, const float *coef, const hk_moments *seen,
                     const double *sum_dy, const double *sum_dyx, float *bcoef,
                     float *const *dslots)
{
    (void)coef, (void)dslots;
    const int64_t n = context->channels;
    for (int64_t j = 0; j < n; j++) {
        const double rows = (double)seen->rows, r = 1 / sqrt(seen->m2[j] / rows + 1e-5);
        const double along = -r * r * r * sum_dyx[j] / rows;
        bcoef[j] = (float)r;
        bcoef[n + j] = (float)along;
        bcoef[2 * n + j] = (float)(-r * sum_dy[j] / rows - along * seen->mean[j]);
    }
}
NORM(.domain = over_sample, .coefficients = coefficients, .gradient = gradient);
