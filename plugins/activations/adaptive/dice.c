/* dice: x (p + (1 - p) alpha), p = sigmoid((x - mean) / sqrt(var + eps)): a prelu whose kink lies,
 * rounded off, where the data are; alpha is learned per channel.
 * Zhou et al. 2018, arXiv:1706.06978, section 5.3.
 *
 * Departure: mean and variance are those of past batches, in training as in evaluation, and
 * constants to the gradient; an activation is not shown its whole batch before it answers. */
#include <hillock/kernel.h>

enum { MOMENTUM, EPS };
HK_PARAMS({.name = "momentum",
           .doc = "weight of the new batch in the averages",
           .type = HK_REAL,
           .value = 0.1,
           .low = 0,
           .high = 1},
          {.name = "eps",
           .doc = "added to the variance",
           .type = HK_REAL,
           .value = 1e-8,
           .low = 1e-30,
           .high = 1});

enum { ALPHA, MEAN, VARIANCE, SLOTS };
HK_SLOTS({.name = "alpha",
          .doc = "slope far below the mean",
          .role = HK_LEARNED,
          .extent = HK_PER_CHANNEL,
          .flags = HK_NO_DECAY},
         {.name = "running_mean",
          .doc = "average of the batches' means",
          .role = HK_STATE,
          .extent = HK_PER_CHANNEL},
         {.name = "running_var",
          .doc = "average of the batches' variances",
          .role = HK_STATE,
          .extent = HK_PER_CHANNEL,
          .value = 1,
          .low = 0,
          .high = 3e38});

/* p and q = 1 - p, both without cancellation. */
#define GATES                                                                                      \
    const real r = hks_rsqrt_plain(a.t[VARIANCE] + a.p[EPS]), z = (a.x - a.t[MEAN]) * r;           \
    const real e = hks_quick_exp(-hks_abs(z)), s = 1 / (1 + e);                                    \
    const real p = z < 0 ? e * s : s, q = z < 0 ? s : e * s;
/* x q, which ends at 0 and is finite on the other side. */
#define LEAK (a.x > (real)1e30 ? 0 : hks_max((real)-3e38, a.x) * q)
HK_VALUE(GATES return (a.x < (real)-1e30 ? 0 : a.x * p) + a.t[ALPHA] * LEAK;)
HK_SLOPE(GATES const real bend = hks_abs(a.x) < (real)1e30 ? a.x * (p * q) * r : 0;
         return p + q * a.t[ALPHA] + bend * (1 - a.t[ALPHA]);)
HK_GRADIENT(GATES(void) p; return LEAK;)

static const hk_elementwise body = {hk_value32, hk_slope32, hk_gradient32, NULL,
                                    slots,      SLOTS,      HK_READS_X};

/* Sums of x - running mean and of its square, before y may overwrite x. */
HK_INLINE void forward(const hk_context *context, const hk_tile *tile)
{
    const int64_t n = context->channels;
    const float *mean = context->slots[MEAN];
    for (int64_t at = 0; tile->sums && at < tile->rows * n; at += n) {
        HK_VECTORIZE
        for (int64_t j = 0; j < n; j++) {
            const float away = tile->x[at + j] - mean[j];
            tile->sums[j] += away;
            tile->sums[n + j] += away * away;
        }
    }
    hk_elementwise_forward(&body, context, tile);
}

HK_INLINE void backward(const hk_context *context, const hk_tile *tile)
{
    hk_elementwise_backward(&body, context, tile);
}

HK_BLOCK_KERNELS(forward, backward)

static void update(const hk_context *context, const hk_activity *seen)
{
    const double share = context->params[MOMENTUM];
    for (int64_t j = 0; j < context->channels; j++) {
        float *mean = &context->slots[MEAN][j], *variance = &context->slots[VARIANCE][j];
        const double away = seen->sums[j] / (double)seen->rows;
        const double square = seen->sums[context->channels + j] / (double)seen->rows;
        *mean = (float)((double)*mean + share * away);
        *variance = (float)((double)*variance + share * (square - away * away - (double)*variance));
    }
}

static const hk_activation dice = {.reads = HK_READS_X,
                                   .traits = HK_IN_PLACE,
                                   .n_sums = 2,
                                   .kernels = HK_KERNELS,
                                   .update = update,
                                   .value = hk_value64,
                                   .slope = hk_slope64,
                                   .gradient = hk_gradient64};

HK_BUNDLE({HK_ACTIVATION_ROW(dice), .activation = &dice, .params = params, .slots = slots,
           .tags = "adaptive",
           .formula = "x*(alpha + (1 - alpha)*sigmoid((x - running_mean)/sqrt(running_var + eps)))",
           .summary = "x * (p + (1 - p) * alpha), p = sigmoid((x - mean) / sd)",
           .source = "Zhou et al. 2018"});
