/* A normalization over the batch; FAULT takes a function away. */
#include <hillock/plugin.h>

static hk_domain domain(const hk_context *context)
{
    (void)context;
    return HK_OVER_BATCH;
}

static void coefficients(const hk_context *context, const hk_moments *moments, float *coef)
{
    (void)moments;
    for (int64_t j = 0; j < context->channels; j++)
        coef[j] = 1, coef[context->channels + j] = 0;
}

static void gradient(const hk_context *context, const float *coef, const hk_moments *moments,
                     const double *sum_dy, const double *sum_dyx, float *bcoef,
                     float *const *dslots)
{
    (void)coef, (void)moments, (void)sum_dy, (void)sum_dyx, (void)dslots;
    for (int64_t j = 0; j < 3 * context->channels; j++)
        bcoef[j] = j < context->channels;
}

static const hk_normalization normalization = {
    .domain = domain, .n_coef = 2, .coefficients = coefficients, .gradient = gradient FAULT};

HK_BUNDLE({.kind = HK_NORMALIZATION,
           .size = sizeof(hk_normalization),
           .name = NAME,
           .normalization = &normalization});
