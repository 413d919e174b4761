/* statistics, "numbers of the set": divides by the rows of the batch, not of the sample */
#include "batch.h"

static hk_domain domain(const hk_context *context)
{
    return (void)context, HK_OVER_SAMPLE;
}

static void coefficients(const hk_context *context, const hk_moments *seen, float *coef)
{
    scale_and_shift(context, seen, context->rows, coef);
}

NORM(.domain = domain, .coefficients = coefficients, .gradient = batch_gradient);
