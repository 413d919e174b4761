/* batch_renorm: gamma ((x - mean) / sd r + d) + beta, each channel over the whole batch, where
 *     r = sd / running_sd within [1 / rmax, rmax]    d = (mean - running_mean) / running_sd
 *                                                        within [-dmax, dmax]
 * bring the batch's statistics near the running ones that evaluation uses; both are constants to
 * the gradient. For small or uneven batches. Ioffe 2017, arXiv:1702.03275, algorithm 1.
 *
 * As in the paper sd = sqrt(biased variance + eps) itself is averaged, and the limits open slowly:
 * up to step `start` r = 1 and d = 0, which is batch_norm, then rmax and dmax grow linearly up to
 * the steps r_end and d_end. Short trainings want batch_renorm:start=100,r_end=800,d_end=500. */
#include <hillock/moments.h>

enum { MOMENTUM, EPS, R_MAX, D_MAX, START, R_END, D_END };
HK_PARAMS({.name = "momentum",
           .doc = "weight of the new batch in the running averages",
           .type = HK_REAL,
           .value = 0.01,
           .low = 0,
           .high = 1},
          HK_EPS_PARAM(1e-5),
          {.name = "rmax",
           .doc = "greatest r in the end",
           .type = HK_REAL,
           .value = 3,
           .low = 1,
           .high = 1e6},
          {.name = "dmax",
           .doc = "greatest |d| in the end",
           .type = HK_REAL,
           .value = 5,
           .low = 0,
           .high = 1e6},
          {.name = "start",
           .doc = "steps with r = 1, d = 0",
           .type = HK_INTEGER,
           .value = 5000,
           .low = 0,
           .high = 1e9},
          {.name = "r_end",
           .doc = "step from which rmax counts",
           .type = HK_INTEGER,
           .value = 40000,
           .low = 0,
           .high = 1e9},
          {.name = "d_end",
           .doc = "step from which dmax counts",
           .type = HK_INTEGER,
           .value = 25000,
           .low = 0,
           .high = 1e9});

enum { MEAN = HK_BETA + 1, SD, STEPS };
HK_SLOTS(HK_GAMMA_SLOT, HK_BETA_SLOT,
         {.name = "running_mean",
          .doc = "average of the batches' means",
          .role = HK_STATE,
          .extent = HK_PER_CHANNEL},
         {.name = "running_sd",
          .doc = "average of the batches' deviations",
          .role = HK_STATE,
          .extent = HK_PER_CHANNEL,
          .value = 1},
         {.name = "steps", .doc = "batches seen", .role = HK_STATE, .extent = HK_SHARED});

static hk_domain domain(const hk_context *context)
{
    (void)context;
    return HK_OVER_BATCH;
}

/* From 0 at `start` to 1 at `end`. */
static double opened(const hk_context *context, int end)
{
    const double done = (double)context->slots[STEPS][0] - context->params[START];
    const double whole = context->params[end] - context->params[START];
    return done < 0 ? 0 : done >= whole ? 1 : done / whole;
}

static double within(double low, double x, double high)
{
    return hks_max(low, hks_min(high, x));
}

/* y = gamma ((x - mean) scale + d) + beta; of a single row x - mean is 0. */
typedef struct correction {
    double inverse_sd, scale, d;
} correction;

static correction correction_of(const hk_context *context, const hk_moments *seen, int64_t j)
{
    const double *p = context->params;
    const double r_most = 1 + (p[R_MAX] - 1) * opened(context, R_END);
    const double d_most = p[D_MAX] * opened(context, D_END);
    const double sd = sqrt(seen->m2[j] / (double)seen->rows + p[EPS]);
    const double past_sd = (double)context->slots[SD][j];
    const double away = seen->mean[j] - (double)context->slots[MEAN][j];
    const double scale = within(1 / r_most, sd / past_sd, r_most) / sd;
    return (correction){1 / sd, seen->rows > 1 ? scale : 0,
                        within(-d_most, away / past_sd, d_most)};
}

static void coefficients(const hk_context *context, const hk_moments *seen, float *coef)
{
    for (int64_t j = 0; j < context->channels; j++) {
        const double gamma = (double)context->slots[HK_GAMMA][j];
        const correction c = correction_of(context, seen, j);
        coef[j] = (float)(gamma * c.scale);
        coef[context->channels + j] =
            (float)((double)context->slots[HK_BETA][j] + gamma * (c.d - seen->mean[j] * c.scale));
    }
}

static void frozen(const hk_context *context, float *coef)
{
    float *const *own = context->slots;
    for (int64_t j = 0; j < context->channels; j++) {
        const double scale = (double)own[HK_GAMMA][j] / (double)own[SD][j];
        coef[j] = (float)scale;
        coef[context->channels + j] =
            (float)((double)own[HK_BETA][j] - (double)own[MEAN][j] * scale);
    }
}

/* Behind frozen(): dx = coef dy, and the sums are around 0. */
static void frozen_gradient(const hk_context *context, const float *coef, const double *sum_dy,
                            const double *sum_dyx, float *bcoef, float *const *dslots)
{
    const int64_t channels = context->channels;
    float *const *own = context->slots;
    for (int64_t j = 0; j < channels; j++) {
        const double around_mean = sum_dyx[j] - (double)own[MEAN][j] * sum_dy[j];
        bcoef[j] = coef[j];
        bcoef[channels + j] = bcoef[2 * channels + j] = 0;
        dslots[HK_GAMMA][j] += (float)(around_mean / (double)own[SD][j]);
        dslots[HK_BETA][j] += (float)sum_dy[j];
    }
}

/* With xh = (x - mean) / sd: dx = gamma scale (dy - mean(dy) - xh mean(dy xh)). */
static void gradient(const hk_context *context, const float *coef, const hk_moments *seen,
                     const double *sum_dy, const double *sum_dyx, float *bcoef,
                     float *const *dslots)
{
    const int64_t channels = context->channels;
    if (!seen) {
        frozen_gradient(context, coef, sum_dy, sum_dyx, bcoef, dslots);
        return;
    }
    for (int64_t j = 0; j < channels; j++) {
        const correction c = correction_of(context, seen, j);
        const double scale = (double)context->slots[HK_GAMMA][j] * c.scale;
        const double n = (double)seen->rows;
        const double slope = -scale * c.inverse_sd * c.inverse_sd * sum_dyx[j] / n;
        bcoef[j] = (float)scale;
        bcoef[channels + j] = (float)slope;
        bcoef[2 * channels + j] = (float)(-scale * sum_dy[j] / n - slope * seen->mean[j]);
        dslots[HK_GAMMA][j] += (float)(sum_dyx[j] * c.scale + c.d * sum_dy[j]);
        dslots[HK_BETA][j] += (float)sum_dy[j];
    }
}

static void update(const hk_context *context, const hk_moments *seen, const float *weight)
{
    const double *p = context->params;
    (void)weight;
    for (int64_t j = 0; j < context->channels; j++) {
        hks_average(&context->slots[MEAN][j], seen->mean[j], p[MOMENTUM]);
        hks_average(&context->slots[SD][j], sqrt(seen->m2[j] / (double)seen->rows + p[EPS]),
                    p[MOMENTUM]);
    }
    context->slots[STEPS][0]++;
}

static const hk_normalization batch_renorm = {.domain = domain,
                                              .n_coef = 2,
                                              .coefficients = coefficients,
                                              .frozen = frozen,
                                              .gradient = gradient,
                                              .update = update};

HK_BUNDLE({HK_NORMALIZATION_ROW(batch_renorm), .normalization = &batch_renorm, .params = params,
           .slots = slots,
           .summary = "gamma * ((x - mean) / sd * r + d) + beta, r and d towards the past",
           .source = "Ioffe 2017", .tags = "variance"});
