/* filter_response_norm: gamma x / sqrt(mean(x^2) + eps) + beta, each channel over the positions of
 * one sample; and its activation, the thresholded linear unit tlu: max(x, tau), tau learned per
 * channel. Together they do without the batch: --norm filter_response_norm --act tlu.
 * Singh, Krishnan 2020, arXiv:1911.09737, equations 1 to 3; eps is not learned.
 *
 * A dense layer has one position: what is left of a number is its sign. */
#include <hillock/moments.h>

/* ---- tlu ----------------------------------------------------------------------------------- */

HK_VALUE(return hks_max(a.t[0], a.x);)
HK_SLOPE(return a.x > a.t[0] ? 1 : 0;)
HK_GRADIENT(return a.x > a.t[0] ? 0 : (real)1;)
HK_SLOTS({.name = "tau",
          .doc = "floor",
          .role = HK_LEARNED,
          .extent = HK_PER_CHANNEL,
          .flags = HK_NO_DECAY});
HK_LEARNED_TABLE(HK_READS_X);

/* ---- filter_response_norm ------------------------------------------------------------------ */

HK_PARAMS({.name = "eps",
           .doc = "added to the mean square",
           .type = HK_REAL,
           .value = 1e-6,
           .flags = HK_LOW_OPEN,
           .low = 0,
           .high = 1});
static const hk_slot affine[] = {HK_GAMMA_SLOT, HK_BETA_SLOT, {0}};

static hk_domain domain(const hk_context *context)
{
    (void)context;
    return HK_OVER_SAMPLE;
}

static double inverse_root(const hk_context *context, const hk_moments *seen, int64_t j)
{
    return 1 / sqrt(hks_mean_square(seen, j, j + 1) + context->params[0]);
}

static void coefficients(const hk_context *context, const hk_moments *seen, float *coef)
{
    for (int64_t j = 0; j < context->channels; j++) {
        coef[j] = (float)((double)context->slots[HK_GAMMA][j] * inverse_root(context, seen, j));
        coef[context->channels + j] = context->slots[HK_BETA][j];
    }
}

/* dx = gamma r (dy - x r mean(dy x r)). */
static void gradient(const hk_context *context, const float *coef, const hk_moments *seen,
                     const double *sum_dy, const double *sum_dyx, float *bcoef,
                     float *const *dslots)
{
    const int64_t channels = context->channels;
    for (int64_t j = 0; j < channels; j++) {
        const double r = inverse_root(context, seen, j);
        const double dyx = hks_sum_around_0(seen, sum_dy, sum_dyx, j);
        bcoef[j] = coef[j];
        bcoef[channels + j] = (float)(-(double)coef[j] * r * r * dyx / (double)seen->rows);
        bcoef[2 * channels + j] = 0;
        dslots[HK_GAMMA][j] += (float)(dyx * r);
        dslots[HK_BETA][j] += (float)sum_dy[j];
    }
}

static const hk_normalization filter_response_norm = {
    .domain = domain, .n_coef = 2, .coefficients = coefficients, .gradient = gradient};

HK_BUNDLE({HK_NORMALIZATION_ROW(filter_response_norm), .normalization = &filter_response_norm,
           .aliases = "frn", .params = params, .slots = affine,
           .summary = "gamma * x / sqrt(mean(x^2) + eps) + beta over the positions of a sample",
           .source = "Singh, Krishnan 2020", .tags = "length"},
          {HK_ACTIVATION_ROW(tlu), .activation = &hk_table, .slots = slots,
           .formula = "max(tau, x)", .summary = "max(x, tau), tau learned",
           .source = "Singh, Krishnan 2020", .tags = "piecewise"});
