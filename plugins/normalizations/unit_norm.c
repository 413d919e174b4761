/* unit_norm: x / max(|x|, eps), the Euclidean length |x| taken over the channels of each position
 * or (over=sample) over a whole sample. */
#include <hillock/moments.h>

enum { OVER, EPS };
enum { CHANNELS, SAMPLE };
HK_PARAMS({.name = "over",
           .doc = "what the length is taken over",
           .type = HK_CHOICE,
           .choices = "channels|sample",
           .value = CHANNELS},
          {.name = "eps",
           .doc = "least length that is divided by",
           .type = HK_REAL,
           .flags = HK_LOW_OPEN,
           .value = 1e-12,
           .low = 0,
           .high = 1});

static hk_domain domain(const hk_context *context)
{
    return context->params[OVER] == CHANNELS ? HK_OVER_ROW : HK_OVER_SAMPLE;
}

/* ---- over=sample --------------------------------------------------------------------------- */

static double length_of(const hk_context *context, const hk_moments *seen)
{
    const double numbers = (double)(seen->rows * context->channels);
    return sqrt(hks_mean_square(seen, 0, context->channels) * numbers);
}

static void coefficients(const hk_context *context, const hk_moments *seen, float *coef)
{
    const double length = length_of(context, seen), eps = context->params[EPS];
    for (int64_t j = 0; j < context->channels; j++) {
        coef[j] = (float)(1 / (length > eps ? length : eps));
        coef[context->channels + j] = 0;
    }
}

/* dx = (dy - y (dy . y)) / |x|, or dy / eps where the length does not count. */
static void gradient(const hk_context *context, const float *coef, const hk_moments *seen,
                     const double *sum_dy, const double *sum_dyx, float *bcoef,
                     float *const *dslots)
{
    const int64_t channels = context->channels;
    const double length = length_of(context, seen);
    double sum = 0; /* dy . x */
    (void)dslots;
    for (int64_t j = 0; j < channels; j++)
        sum += hks_sum_around_0(seen, sum_dy, sum_dyx, j);
    for (int64_t j = 0; j < channels; j++) {
        bcoef[j] = coef[j];
        bcoef[channels + j] =
            length > context->params[EPS] ? (float)(-sum / (length * length * length)) : 0;
        bcoef[2 * channels + j] = 0;
    }
}

/* ---- over=channels: row by row; aux keeps 1 / max(|x|, eps) -------------------------------- */

HK_INLINE void forward(const hk_context *context, const hk_tile *tile)
{
    const int64_t n = context->channels;
    const float eps = (float)context->params[EPS];
    for (int64_t row = 0; row < tile->rows; row++) {
        const float *x = tile->x + row * n;
        const float r = 1 / hks_max(eps, hks_sqrt(hks_dot(n, x, x)));
        float *y = tile->y + row * n;
        HK_VECTORIZE
        for (int64_t j = 0; j < n; j++)
            y[j] = x[j] * r;
        tile->aux[row] = r;
    }
}

HK_INLINE void backward(const hk_context *context, const hk_tile *tile)
{
    const int64_t n = context->channels;
    const float most = 1 / (float)context->params[EPS];
    for (int64_t row = 0; row < tile->rows; row++) {
        const float *y = tile->y + row * n, *dy = tile->dy + row * n;
        const float r = tile->aux[row], along = r < most ? hks_dot(n, dy, y) : 0;
        float *dx = tile->dx + row * n;
        HK_VECTORIZE
        for (int64_t j = 0; j < n; j++)
            dx[j] = (dy[j] - y[j] * along) * r;
    }
}

HK_BLOCK_KERNELS(forward, backward)

static const hk_normalization unit_norm = {.domain = domain,
                                           .n_coef = 2,
                                           .coefficients = coefficients,
                                           .gradient = gradient,
                                           .kernels = HK_KERNELS,
                                           .aux_floats = 1};

HK_BUNDLE({HK_NORMALIZATION_ROW(unit_norm), .normalization = &unit_norm,
           .aliases = "l2_norm,lp_norm", .params = params,
           .summary = "x / max(|x|, eps) over a row or a sample", .source = "none",
           .tags = "length"});
