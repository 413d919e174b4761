/* layer_norm: gamma (x - mean) / sqrt(var + eps) + beta, each sample by itself: over all of it, or
 * (over=channels) over the channels of each position. gamma and beta are per channel in both.
 * Ba, Kiros, Hinton 2016, arXiv:1607.06450, equation 3. */
#include <hillock/moments.h>

enum { OVER, EPS };
enum { SAMPLE, CHANNELS };
HK_PARAMS({.name = "over",
           .doc = "what a mean is taken over",
           .type = HK_CHOICE,
           .choices = "sample|channels",
           .value = SAMPLE},
          HK_EPS_PARAM(1e-5));
HK_SLOTS(HK_GAMMA_SLOT, HK_BETA_SLOT);

static hk_domain domain(const hk_context *context)
{
    return context->params[OVER] == CHANNELS ? HK_OVER_ROW : HK_OVER_SAMPLE;
}

/* ---- over=sample: one group of all channels -------------------------------------------------- */

static void coefficients(const hk_context *context, const hk_moments *seen, float *coef)
{
    hks_group g = hks_group_of(seen, 0, context->channels, context->params[EPS]);
    hks_group_coefficients(context, &g, context->slots[HK_GAMMA], context->slots[HK_BETA], coef);
}

static void gradient(const hk_context *context, const float *coef, const hk_moments *seen,
                     const double *sum_dy, const double *sum_dyx, float *bcoef,
                     float *const *dslots)
{
    (void)coef;
    hks_group g = hks_group_of(seen, 0, context->channels, context->params[EPS]);
    hks_group_gradient(context, &g, seen, context->slots[HK_GAMMA], sum_dy, sum_dyx, bcoef,
                       dslots[HK_GAMMA], dslots[HK_BETA]);
}

/* ---- over=channels: row by row; aux keeps mean and 1 / sd ------------------------------------ */

HK_INLINE void forward(const hk_context *context, const hk_tile *tile)
{
    const int64_t n = context->channels;
    const float *gamma = context->slots[HK_GAMMA], *beta = context->slots[HK_BETA];
    for (int64_t row = 0; row < tile->rows; row++) {
        const float *x = tile->x + row * n;
        const float mean = hks_sum(n, x) / (float)n;
        float *y = tile->y + row * n;
        HK_VECTORIZE
        for (int64_t j = 0; j < n; j++)
            y[j] = x[j] - mean;
        const float variance = hks_dot(n, y, y) / (float)n;
        const float r = n > 1 ? 1 / hks_sqrt(variance + (float)context->params[EPS]) : 0;
        HK_VECTORIZE
        for (int64_t j = 0; j < n; j++)
            y[j] = gamma[j] * (y[j] * r) + beta[j];
        tile->aux[2 * row] = mean;
        tile->aux[2 * row + 1] = r;
    }
}

/* Sum of g (x - mean): the difference first, as the mean may be large. */
HK_INLINE float moment(int64_t n, const float *g, const float *x, float mean)
{
    float lane[HK_LANES] = {0};
    int64_t i = 0;
    for (; i + HK_LANES <= n; i += HK_LANES)
        for (int j = 0; j < HK_LANES; j++)
            lane[j] += g[i + j] * (x[i + j] - mean);
    for (int j = 0; i + j < n; j++)
        lane[j] += g[i + j] * (x[i + j] - mean);
    return hks_sum_of_lanes(lane);
}

/* dx = r (gh - mean(gh) - xh mean(gh xh)) with gh = gamma dy; dx holds gh for a while, so the
 * gradients of gamma and beta come first. */
HK_INLINE void backward(const hk_context *context, const hk_tile *tile)
{
    const int64_t n = context->channels;
    const float *gamma = context->slots[HK_GAMMA];
    float *dgamma = tile->dslots[HK_GAMMA], *dbeta = tile->dslots[HK_BETA];
    for (int64_t row = 0; row < tile->rows; row++) {
        const float *x = tile->x + row * n, *dy = tile->dy + row * n;
        const float mean = tile->aux[2 * row], r = tile->aux[2 * row + 1];
        float *dx = tile->dx + row * n;
        HK_VECTORIZE
        for (int64_t j = 0; j < n; j++) {
            dgamma[j] += dy[j] * ((x[j] - mean) * r);
            dbeta[j] += dy[j];
            dx[j] = gamma[j] * dy[j];
        }
        const float level = hks_sum(n, dx) / (float)n;
        const float slope = moment(n, dx, x, mean) * r / (float)n;
        HK_VECTORIZE
        for (int64_t j = 0; j < n; j++)
            dx[j] = r * (dx[j] - level - (x[j] - mean) * r * slope);
    }
}

HK_BLOCK_KERNELS(forward, backward)

static const hk_normalization layer_norm = {.domain = domain,
                                            .n_coef = 2,
                                            .coefficients = coefficients,
                                            .gradient = gradient,
                                            .kernels = HK_KERNELS,
                                            .aux_floats = 2};

HK_BUNDLE({HK_NORMALIZATION_ROW(layer_norm), .normalization = &layer_norm, .aliases = "ln",
           .params = params, .slots = slots,
           .summary = "gamma * (x - mean) / sqrt(var + eps) + beta over a sample or a row",
           .source = "Ba, Kiros, Hinton 2016", .tags = "core,variance"});
