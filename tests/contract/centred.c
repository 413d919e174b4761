/* A normalization of the contract's first day: x - mean over the batch, in evaluation less a running mean. */
#include <hillock/moments.h>

HK_PARAMS({.name = "momentum",
           .doc = "weight of the new batch",
           .type = HK_REAL,
           .value = 0.1,
           .low = 0,
           .high = 1});
HK_SLOTS({.name = "shift", .doc = "what is added", .role = HK_LEARNED, .extent = HK_PER_CHANNEL},
         {.name = "mean", .doc = "of the batches", .role = HK_STATE, .extent = HK_PER_CHANNEL});

static hk_domain domain(const hk_context *context)
{
    (void)context;
    return HK_OVER_BATCH;
}

static void shift_by(const hk_context *context, const double *mean, const float *kept, float *coef)
{
    for (int64_t j = 0; j < context->channels; j++) {
        coef[j] = 1;
        coef[context->channels + j] =
            (float)((double)context->slots[0][j] - (mean ? mean[j] : (double)kept[j]));
    }
}

static void coefficients(const hk_context *context, const hk_moments *seen, float *coef)
{
    shift_by(context, seen->mean, NULL, coef);
}

static void frozen(const hk_context *context, float *coef)
{
    shift_by(context, NULL, context->slots[1], coef);
}

/* dx = dy - its mean, where the mean follows from x. */
static void gradient(const hk_context *context, const float *coef, const hk_moments *seen,
                     const double *sum_dy, const double *sum_dyx, float *bcoef,
                     float *const *dslots)
{
    const int64_t c = context->channels;
    (void)coef, (void)sum_dyx;
    for (int64_t j = 0; j < c; j++) {
        bcoef[j] = 1;
        bcoef[c + j] = 0;
        bcoef[2 * c + j] = seen ? (float)(-sum_dy[j] / (double)seen->rows) : 0;
        dslots[0][j] += (float)sum_dy[j];
    }
}

static void update(const hk_context *context, const hk_moments *seen, const float *weight)
{
    const double momentum = context->params[0];
    float *mean = context->slots[1];
    (void)weight;
    for (int64_t j = 0; j < context->channels; j++)
        mean[j] = (float)((1 - momentum) * (double)mean[j] + momentum * seen->mean[j]);
}

static const hk_normalization centred = {.domain = domain,
                                         .n_coef = 2,
                                         .coefficients = coefficients,
                                         .frozen = frozen,
                                         .gradient = gradient,
                                         .update = update};
HK_BUNDLE({HK_NORMALIZATION_ROW(centred), .normalization = &centred, .params = params,
           .slots = slots, .summary = "x - mean + shift", .source = "Hillock"});
