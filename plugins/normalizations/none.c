/* none: no normalization. The layer is left out of the network and the convolution before it has a
 * bias; the coefficients below only keep the contract for whoever runs it all the same. */
#include <hillock/kernel.h>

static hk_domain domain(const hk_context *context)
{
    (void)context;
    return HK_OVER_BATCH;
}

static void frozen(const hk_context *context, float *coef)
{
    for (int64_t j = 0; j < context->channels; j++) {
        coef[j] = 1;
        coef[context->channels + j] = 0;
    }
}

static void coefficients(const hk_context *context, const hk_moments *moments, float *coef)
{
    (void)moments;
    frozen(context, coef);
}

static void gradient(const hk_context *context, const float *coef, const hk_moments *moments,
                     const double *sum_dy, const double *sum_dyx, float *bcoef,
                     float *const *dslots)
{
    (void)coef, (void)moments, (void)sum_dy, (void)sum_dyx, (void)dslots;
    for (int64_t j = 0; j < context->channels; j++) {
        bcoef[j] = 1;
        bcoef[context->channels + j] = bcoef[2 * context->channels + j] = 0;
    }
}

static const hk_normalization none = {.domain = domain,
                                      .n_coef = 2,
                                      .coefficients = coefficients,
                                      .frozen = frozen,
                                      .gradient = gradient};

HK_BUNDLE({HK_NORMALIZATION_ROW(none), .normalization = &none, .aliases = "identity",
           .summary = "x", .source = "none", .tags = "core"});
