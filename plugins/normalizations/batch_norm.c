/* batch_norm: gamma (x - mean) / sqrt(var + eps) + beta, each channel over the whole batch; in
 * evaluation with running averages of mean and variance.
 * Ioffe, Szegedy 2015, arXiv:1502.03167, algorithm 1.
 *
 * The batch is normalized with the biased variance, the running one collects the unbiased
 * variance, and momentum is the weight of the new batch: PyTorch's conventions. A batch of one
 * row has no variance: y = beta, and nothing flows back to x. */
#include <hillock/kernel.h>

enum { MOMENTUM, EPS };
HK_PARAMS({.name = "momentum", .doc = "weight of the new batch in the running averages",
           .type = HK_REAL, .value = 0.1, .low = 0, .high = 1},
          {.name = "eps", .doc = "added to the variance", .type = HK_REAL, .flags = HK_LOW_OPEN,
           .value = 1e-5, .low = 0, .high = 1});

enum { GAMMA, BETA, MEAN, VARIANCE };
HK_SLOTS({.name = "gamma", .doc = "scale", .role = HK_LEARNED, .extent = HK_PER_CHANNEL,
          .flags = HK_NO_DECAY, .value = 1},
         {.name = "beta", .doc = "shift", .role = HK_LEARNED, .extent = HK_PER_CHANNEL,
          .flags = HK_NO_DECAY},
         {.name = "running_mean", .doc = "average of the batches' means", .role = HK_STATE,
          .extent = HK_PER_CHANNEL},
         {.name = "running_var", .doc = "average of the batches' unbiased variances",
          .role = HK_STATE, .extent = HK_PER_CHANNEL, .value = 1});

static hk_domain domain(const hk_context *context)
{
    (void)context;
    return HK_OVER_BATCH;
}

/* y = scale x + shift with scale = gamma / sd. */
static void affine(const hk_context *context, int64_t j, double mean, double scale, float *coef)
{
    coef[j] = (float)scale;
    coef[context->channels + j] = (float)((double)context->slots[BETA][j] - mean * scale);
}

/* 1 / sqrt(var + eps); 0 for a single row, whose x - mean is 0. */
static double inverse_sd(const hk_context *context, const hk_moments *seen, int64_t j)
{
    double variance = seen->m2[j] / (double)seen->rows;
    return seen->rows > 1 ? 1 / sqrt(variance + context->params[EPS]) : 0;
}

static void coefficients(const hk_context *context, const hk_moments *seen, float *coef)
{
    for (int64_t j = 0; j < context->channels; j++)
        affine(context, j, seen->mean[j],
               (double)context->slots[GAMMA][j] * inverse_sd(context, seen, j), coef);
}

static double running_inverse_sd(const hk_context *context, int64_t j)
{
    return 1 / sqrt((double)context->slots[VARIANCE][j] + context->params[EPS]);
}

static void frozen(const hk_context *context, float *coef)
{
    for (int64_t j = 0; j < context->channels; j++)
        affine(context, j, (double)context->slots[MEAN][j],
               (double)context->slots[GAMMA][j] * running_inverse_sd(context, j), coef);
}

/* Behind frozen(): dx = scale dy, and the sums are around 0. */
static void frozen_gradient(const hk_context *context, const float *coef, const double *sum_dy,
                            const double *sum_dyx, float *bcoef, float *const *dslots)
{
    const int64_t channels = context->channels;
    float *const *own = context->slots;
    for (int64_t j = 0; j < channels; j++) {
        double r = running_inverse_sd(context, j);
        bcoef[j] = coef[j];
        bcoef[channels + j] = bcoef[2 * channels + j] = 0;
        dslots[GAMMA][j] += (float)(r * (sum_dyx[j] - (double)own[MEAN][j] * sum_dy[j]));
        dslots[BETA][j] += (float)sum_dy[j];
    }
}

/* dx = gamma r (dy - mean(dy) - xh mean(dy xh)), r = 1 / sd, xh = (x - mean) r. */
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
        double r = inverse_sd(context, seen, j), scale = (double)context->slots[GAMMA][j] * r;
        double slope = -scale * r * r * sum_dyx[j] / (double)seen->rows;
        bcoef[j] = (float)scale;
        bcoef[channels + j] = (float)slope;
        bcoef[2 * channels + j] =
            (float)(-scale * sum_dy[j] / (double)seen->rows - slope * seen->mean[j]);
        dslots[GAMMA][j] += (float)(sum_dyx[j] * r);
        dslots[BETA][j] += (float)sum_dy[j];
    }
}

static void average(float *running, double now, double momentum)
{
    *running = (float)((double)*running + momentum * (now - (double)*running));
}

static void update(const hk_context *context, const hk_moments *seen, const float *weight)
{
    (void)weight;
    const double momentum = context->params[MOMENTUM];
    for (int64_t j = 0; j < context->channels; j++) {
        average(&context->slots[MEAN][j], seen->mean[j], momentum);
        if (seen->rows > 1)
            average(&context->slots[VARIANCE][j], seen->m2[j] / (double)(seen->rows - 1),
                    momentum);
    }
}

static const hk_normalization batch_norm = {.domain = domain, .n_coef = 2,
                                            .coefficients = coefficients, .frozen = frozen,
                                            .gradient = gradient, .update = update};

HK_BUNDLE({HK_NORMALIZATION_ROW(batch_norm), .normalization = &batch_norm,
           .aliases = "bn",
           .params = params,
           .slots = slots,
           .summary = "gamma * (x - mean) / sqrt(var + eps) + beta over the batch",
           .source = "Ioffe, Szegedy 2015"});
