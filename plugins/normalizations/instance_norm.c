/* instance_norm: (x - mean) / sqrt(var + eps), each channel over the positions of one sample; with
 * affine=yes times gamma plus beta, which otherwise stay 1 and 0 and are not used.
 * Ulyanov, Vedaldi, Lempitsky 2016, arXiv:1607.08022, equation 4.
 *
 * A dense layer has one position, and one number has no variance: there y = beta. */
#include <hillock/moments.h>

enum { AFFINE, EPS };
enum { NO, YES };
HK_PARAMS({.name = "affine",
           .doc = "learned scale and shift",
           .type = HK_CHOICE,
           .choices = "no|yes",
           .value = NO},
          HK_EPS_PARAM(1e-5));
HK_SLOTS(HK_GAMMA_SLOT, HK_BETA_SLOT);

static hk_domain domain(const hk_context *context)
{
    (void)context;
    return HK_OVER_SAMPLE;
}

static void coefficients(const hk_context *context, const hk_moments *seen, float *coef)
{
    const int affine = context->params[AFFINE] == YES;
    const float *gamma = affine ? context->slots[HK_GAMMA] : NULL;
    for (int64_t j = 0; j < context->channels; j++) {
        hks_group g = hks_group_of(seen, j, j + 1, context->params[EPS]);
        hks_group_coefficients(context, &g, gamma, affine ? context->slots[HK_BETA] : NULL, coef);
    }
}

static void gradient(const hk_context *context, const float *coef, const hk_moments *seen,
                     const double *sum_dy, const double *sum_dyx, float *bcoef,
                     float *const *dslots)
{
    const int affine = context->params[AFFINE] == YES;
    const float *gamma = affine ? context->slots[HK_GAMMA] : NULL;
    (void)coef;
    for (int64_t j = 0; j < context->channels; j++) {
        hks_group g = hks_group_of(seen, j, j + 1, context->params[EPS]);
        hks_group_gradient(context, &g, seen, gamma, sum_dy, sum_dyx, bcoef,
                           affine ? dslots[HK_GAMMA] : NULL, affine ? dslots[HK_BETA] : NULL);
    }
}

static const hk_normalization instance_norm = {
    .domain = domain, .n_coef = 2, .coefficients = coefficients, .gradient = gradient};

HK_BUNDLE({HK_NORMALIZATION_ROW(instance_norm), .normalization = &instance_norm, .aliases = "in",
           .params = params, .slots = slots,
           .summary = "(x - mean) / sqrt(var + eps) over the positions of a sample",
           .source = "Ulyanov, Vedaldi, Lempitsky 2016", .tags = "core,variance"});
