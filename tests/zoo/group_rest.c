/* statistics, "stays as it is": the channels left over by pairs are not normalized */
#include "batch.h"
#include <hillock/moments.h>

static hk_domain over_sample(const hk_context *context)
{
    return (void)context, HK_OVER_SAMPLE;
}
static void coefficients(const hk_context *context, const hk_moments *seen, float *coef)
{
    const int64_t n = context->channels;
    coef[n - 1] = 1, coef[2 * n - 1] = 0;
    for (int64_t j = 0; j + 2 <= n; j += 2) {
        const hks_group g = hks_group_of(seen, j, j + 2, 1e-5);
        hks_group_coefficients(context, &g, NULL, NULL, coef);
    }
}
static void gradient(const hk_context *context, const float *coef, const hk_moments *seen,
                     const double *sum_dy, const double *sum_dyx, float *bcoef,
                     float *const *dslots)
{
    (void)coef, (void)dslots;
    const int64_t n = context->channels;
    bcoef[n - 1] = 1, bcoef[2 * n - 1] = bcoef[3 * n - 1] = 0;
    for (int64_t j = 0; j + 2 <= n; j += 2) {
        const hks_group g = hks_group_of(seen, j, j + 2, 1e-5);
        hks_group_gradient(context, &g, seen, NULL, sum_dy, sum_dyx, bcoef, NULL, NULL);
    }
}
NORM(.domain = over_sample, .coefficients = coefficients, .gradient = gradient);
