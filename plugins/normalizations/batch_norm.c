/* batch_norm: gamma (x - mean) / sqrt(var + eps) + beta, each channel over the whole batch; in
 * evaluation with running averages of mean and variance.
 * Ioffe, Szegedy 2015, arXiv:1502.03167, algorithm 1.
 *
 * The batch is normalized with the biased variance, the running one collects the unbiased
 * variance, and momentum is the weight of the new batch: PyTorch's conventions. A batch of one
 * row has no variance: y = beta, and nothing flows back to x. */
#include <hillock/moments.h>

enum { MOMENTUM, EPS };
HK_PARAMS({.name = "momentum",
           .doc = "weight of the new batch in the running averages",
           .type = HK_REAL,
           .value = 0.1,
           .low = 0,
           .high = 1},
          HK_EPS_PARAM(1e-5));

enum { MEAN = HK_BETA + 1, VARIANCE };
HK_SLOTS(HK_GAMMA_SLOT, HK_BETA_SLOT,
         {.name = "running_mean",
          .doc = "average of the batches' means",
          .role = HK_STATE,
          .extent = HK_PER_CHANNEL},
         {.name = "running_var",
          .doc = "average of the batches' unbiased variances",
          .role = HK_STATE,
          .extent = HK_PER_CHANNEL,
          .value = 1});

static hk_domain domain(const hk_context *context)
{
    (void)context;
    return HK_OVER_BATCH;
}

static void coefficients(const hk_context *context, const hk_moments *seen, float *coef)
{
    for (int64_t j = 0; j < context->channels; j++) {
        hks_group g = hks_group_of(seen, j, j + 1, context->params[EPS]);
        hks_group_coefficients(context, &g, context->slots[HK_GAMMA], context->slots[HK_BETA],
                               coef);
    }
}

/* The running averages in place of moments. */
static hks_group past(const hk_context *context, int64_t j)
{
    float *const *own = context->slots;
    return (hks_group){.first = j,
                       .end = j + 1,
                       .mean = (double)own[MEAN][j],
                       .r = 1 / sqrt((double)own[VARIANCE][j] + context->params[EPS])};
}

static void frozen(const hk_context *context, float *coef)
{
    for (int64_t j = 0; j < context->channels; j++) {
        hks_group g = past(context, j);
        hks_group_coefficients(context, &g, context->slots[HK_GAMMA], context->slots[HK_BETA],
                               coef);
    }
}

/* Behind frozen(): dx = scale dy, and the sums are around 0. */
static void frozen_gradient(const hk_context *context, const float *coef, const double *sum_dy,
                            const double *sum_dyx, float *bcoef, float *const *dslots)
{
    const int64_t channels = context->channels;
    for (int64_t j = 0; j < channels; j++) {
        hks_group g = past(context, j);
        bcoef[j] = coef[j];
        bcoef[channels + j] = bcoef[2 * channels + j] = 0;
        dslots[HK_GAMMA][j] += (float)(g.r * (sum_dyx[j] - g.mean * sum_dy[j]));
        dslots[HK_BETA][j] += (float)sum_dy[j];
    }
}

static void gradient(const hk_context *context, const float *coef, const hk_moments *seen,
                     const double *sum_dy, const double *sum_dyx, float *bcoef,
                     float *const *dslots)
{
    if (!seen) {
        frozen_gradient(context, coef, sum_dy, sum_dyx, bcoef, dslots);
        return;
    }
    for (int64_t j = 0; j < context->channels; j++) {
        hks_group g = hks_group_of(seen, j, j + 1, context->params[EPS]);
        hks_group_gradient(context, &g, seen, context->slots[HK_GAMMA], sum_dy, sum_dyx, bcoef,
                           dslots[HK_GAMMA], dslots[HK_BETA]);
    }
}

static void update(const hk_context *context, const hk_moments *seen, const float *weight)
{
    (void)weight;
    const double momentum = context->params[MOMENTUM];
    for (int64_t j = 0; j < context->channels; j++) {
        hks_average(&context->slots[MEAN][j], seen->mean[j], momentum);
        if (seen->rows > 1)
            hks_average(&context->slots[VARIANCE][j], seen->m2[j] / (double)(seen->rows - 1),
                        momentum);
    }
}

static const hk_normalization batch_norm = {.domain = domain,
                                            .n_coef = 2,
                                            .coefficients = coefficients,
                                            .frozen = frozen,
                                            .gradient = gradient,
                                            .update = update};

HK_BUNDLE({HK_NORMALIZATION_ROW(batch_norm), .normalization = &batch_norm, .aliases = "bn",
           .params = params, .slots = slots,
           .summary = "gamma * (x - mean) / sqrt(var + eps) + beta over the batch",
           .source = "Ioffe, Szegedy 2015", .tags = "core,variance"});
