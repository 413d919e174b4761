/* gradient, "differences say": the mean of dy is forgotten */
#include "batch.h"

static void gradient(const hk_context *context, const float *coef, const hk_moments *seen,
                     const double *sum_dy, const double *sum_dyx, float *bcoef,
                     float *const *dslots)
{
    (void)sum_dy;
    (void)dslots;
    walk_back(context, coef, seen, NULL, sum_dyx, bcoef);
}

NORM(.domain = over_batch, .coefficients = batch_coefficients, .gradient = gradient);
