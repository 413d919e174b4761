/* rms_norm: gamma x / sqrt(mean(x^2) + eps), each sample by itself: over all of it, or
 * (over=channels) over the channels of each position. No mean is taken away and nothing is added.
 * Zhang, Sennrich 2019, arXiv:1910.07467, equation 4. */
#include <hillock/moments.h>

enum { OVER, EPS };
enum { SAMPLE, CHANNELS };
HK_PARAMS({.name = "over",
           .doc = "what the mean is taken over",
           .type = HK_CHOICE,
           .choices = "sample|channels",
           .value = SAMPLE},
          {.name = "eps",
           .doc = "added to the mean square",
           .type = HK_REAL,
           .flags = HK_LOW_OPEN,
           .value = 1e-6,
           .low = 0,
           .high = 1});
HK_SLOTS(HK_GAMMA_SLOT);

static hk_domain domain(const hk_context *context)
{
    return context->params[OVER] == CHANNELS ? HK_OVER_ROW : HK_OVER_SAMPLE;
}

/* ---- over=sample --------------------------------------------------------------------------- */

static double inverse_root(const hk_context *context, const hk_moments *seen)
{
    return 1 / sqrt(hks_mean_square(seen, 0, context->channels) + context->params[EPS]);
}

static void coefficients(const hk_context *context, const hk_moments *seen, float *coef)
{
    const double r = inverse_root(context, seen);
    for (int64_t j = 0; j < context->channels; j++) {
        coef[j] = (float)((double)context->slots[HK_GAMMA][j] * r);
        coef[context->channels + j] = 0;
    }
}

/* dx = r (gh - x r mean(gh x r)) with gh = gamma dy. */
static void gradient(const hk_context *context, const float *coef, const hk_moments *seen,
                     const double *sum_dy, const double *sum_dyx, float *bcoef,
                     float *const *dslots)
{
    const int64_t channels = context->channels;
    const double r = inverse_root(context, seen);
    double sum = 0; /* of gh x */
    for (int64_t j = 0; j < channels; j++) {
        const double dyx = hks_sum_around_0(seen, sum_dy, sum_dyx, j);
        sum += (double)context->slots[HK_GAMMA][j] * dyx;
        dslots[HK_GAMMA][j] += (float)(dyx * r);
    }
    for (int64_t j = 0; j < channels; j++) {
        bcoef[j] = coef[j];
        bcoef[channels + j] = (float)(-r * r * r * sum / (double)(seen->rows * channels));
        bcoef[2 * channels + j] = 0;
    }
}

/* ---- over=channels: row by row; aux keeps r ------------------------------------------------ */

HK_INLINE void forward(const hk_context *context, const hk_tile *tile)
{
    const int64_t n = context->channels;
    const float *gamma = context->slots[HK_GAMMA], eps = (float)context->params[EPS];
    for (int64_t row = 0; row < tile->rows; row++) {
        const float *x = tile->x + row * n;
        const float r = 1 / hks_sqrt(hks_dot(n, x, x) / (float)n + eps);
        float *y = tile->y + row * n;
        HK_VECTORIZE
        for (int64_t j = 0; j < n; j++)
            y[j] = gamma[j] * (x[j] * r);
        tile->aux[row] = r;
    }
}

/* dx holds gh for a while. */
HK_INLINE void backward(const hk_context *context, const hk_tile *tile)
{
    const int64_t n = context->channels;
    const float *gamma = context->slots[HK_GAMMA];
    float *dgamma = tile->dslots[HK_GAMMA];
    for (int64_t row = 0; row < tile->rows; row++) {
        const float *x = tile->x + row * n, *dy = tile->dy + row * n;
        const float r = tile->aux[row];
        float *dx = tile->dx + row * n;
        HK_VECTORIZE
        for (int64_t j = 0; j < n; j++) {
            dgamma[j] += dy[j] * (x[j] * r);
            dx[j] = gamma[j] * dy[j];
        }
        const float along = hks_dot(n, dx, x) * r / (float)n;
        HK_VECTORIZE
        for (int64_t j = 0; j < n; j++)
            dx[j] = r * (dx[j] - x[j] * r * along);
    }
}

HK_BLOCK_KERNELS(forward, backward)

static const hk_normalization rms_norm = {.domain = domain,
                                          .n_coef = 2,
                                          .coefficients = coefficients,
                                          .gradient = gradient,
                                          .kernels = HK_KERNELS,
                                          .aux_floats = 1};

HK_BUNDLE({HK_NORMALIZATION_ROW(rms_norm), .normalization = &rms_norm, .params = params,
           .slots = slots, .summary = "gamma * x / sqrt(mean(x^2) + eps) over a sample or a row",
           .source = "Zhang, Sennrich 2019", .tags = "core,length"});
