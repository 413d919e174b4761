/* Noise for training: dropout of elements, channels, samples (dropped paths) and connections, alpha
 * dropout, Gaussian dropout and noise. The identity in evaluation, but for Monte Carlo dropout.
 *
 * A draw is a function of the step's key and the index of what it decides on (element, channel of a
 * sample, sample), so backward draws again instead of keeping a mask, and threads do not matter. */
#include "ops/ops.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

#include <hillock/kernel.h>

typedef enum scope { ELEMENT, CHANNEL, SAMPLE } scope;

/* Of each unit: y = scale x + shift where it is kept, y = dropped where it is not; or, where a
 * deviation is given, y = x (1 + deviation z) or x + deviation z, z ~ N(0, 1). */
typedef struct noise {
    scope unit;
    float rate, scale, shift, dropped;
    float deviation;
    bool adds;
    bool in_evaluation; /* too */
    double asked;       /* the rate or deviation, as it was asked for */
} noise;

/* Elements are dropped where hks_uniform() of their index is below the rate; four have a draw. */
static void drop_elements(const noise *n, uint64_t key, int64_t count, const float *in, float *out)
{
    const uint32_t limit = (uint32_t)ceilf(n->rate * 0x1p24f);
#pragma omp parallel for num_threads(hki_threads_for(count)) schedule(static)
    for (int64_t block = 0; block < (count + 3) / 4; block++) {
        uint32_t draw[4];
        hks_philox(key, (uint64_t)block, draw);
        for (int64_t i = 4 * block; i < 4 * block + 4 && i < count; i++)
            out[i] = draw[i % 4] >> 8 < limit ? n->dropped : n->scale * in[i] + n->shift;
    }
}

/* In and out may be the same. */
static void apply(const hki_call *call, const noise *n, const float *in, float *out)
{
    const hk_shape *shape = &call->tensor->shape;
    const int64_t count = hki_count(shape, call->batch);
    const int64_t samples = hki_is_batched(shape) ? call->batch : 1, size = count / samples;
    if (n->deviation == 0 && n->unit == ELEMENT) {
        drop_elements(n, call->key, count, in, out);
        return;
    }
    /* A sample is a unit, or each of its channels, whose elements lie so far apart. */
    const int64_t stride = n->unit == SAMPLE ? 1 : hki_channels(shape);
#pragma omp parallel for num_threads(hki_threads_for(count)) schedule(static)
    for (int64_t s = 0; s < samples; s++) {
        const float *x = in + s * size;
        float *y = out + s * size;
        for (int64_t i = 0; n->deviation > 0 && i < size; i++) {
            const float z = n->deviation * hks_normal(call->key, (uint64_t)(s * size + i));
            y[i] = n->adds ? x[i] + z : x[i] * (1 + z);
        }
        for (int64_t unit = 0; !(n->deviation > 0) && unit < stride; unit++) {
            const bool kept = hks_uniform(call->key, (uint64_t)(s * stride + unit)) >= n->rate;
            for (int64_t i = unit; i < size; i += stride)
                y[i] = kept ? n->scale * x[i] + n->shift : n->dropped;
        }
    }
}

/* Where the noise is not active, out = in. */
static void apply_or_copy(const hki_call *call, const noise *n, bool active, const float *in,
                          float *out)
{
    if (active && (call->training || n->in_evaluation))
        apply(call, n, in, out);
    else if (out != in)
        memcpy(out, in, (size_t)hki_count(&call->tensor->shape, call->batch) * sizeof *out);
}

static void noise_forward(const hki_call *call)
{
    apply_or_copy(call, call->tensor->attributes, true, call->x[0], call->y);
}

/* As forward, without what does not depend on x. */
static void noise_backward(const hki_call *call)
{
    noise n = *(const noise *)call->tensor->attributes;
    n.shift = n.dropped = 0;
    apply_or_copy(call, &n, !n.adds, call->dy, call->dx[0]);
}

static const hki_constant noise_kept[] = {
    {"amount", HKI_REAL, offsetof(noise, asked)},
    {"unit", HKI_INTEGER, offsetof(noise, unit)},
    {"in_evaluation", HKI_YES_NO, offsetof(noise, in_evaluation)},
    {0}};

static hk_tensor *noise_again(const hk_tensor *like);

#define NOISE(name_)                                                                               \
    {                                                                                              \
        .name = name_, .operands = 1, .attribute_bytes = sizeof(noise), .kept = noise_kept,        \
        .again = noise_again, .forward = noise_forward, .backward = noise_backward,                \
        .in_place = hki_always                                                                     \
    }
const hki_op hki_op_dropout = NOISE("dropout"), hki_op_alpha_dropout = NOISE("alpha dropout"),
             hki_op_gaussian_dropout = NOISE("gaussian dropout"),
             hki_op_gaussian_noise = NOISE("gaussian noise"), hki_op_drop_path = NOISE("drop path"),
             hki_op_drop_connect = NOISE("drop connect");

static hk_tensor *record(const hki_op *op, hk_tensor *x, bool allowed, double value, noise n)
{
    if (hki_null_operand(op->name, x))
        return NULL;
    if (!allowed)
        return hki_fail_null(HK_BAD_ARGUMENT, "%s: %s%g is outside %s", op->name,
                             op == &hki_op_dropout ? "rate " : "", value,
                             n.adds ? "[0, inf)" : "[0, 1)");
    if (op != &hki_op_drop_connect && !hki_is_batched(&x->shape))
        return hki_fail_null(HK_BAD_SHAPE, "%s: expects a batch, not %s", op->name,
                             hki_shape_text(&x->shape));
    if (value == 0)
        return x;
    n.asked = value;
    return hki_compute(op, &x, 1, x->shape, &n);
}

static hk_tensor *record_rate(const hki_op *op, hk_tensor *x, double rate, noise n)
{
    n.rate = (float)rate;
    return record(op, x, rate >= 0 && rate < 1, rate, n);
}

/* Inverted: what is kept is larger, so that the mean stays. */
static hk_tensor *dropout(hk_tensor *x, double rate, scope unit, bool in_evaluation)
{
    return record_rate(
        &hki_op_dropout, x, rate,
        (noise){.unit = unit, .scale = 1 / (1 - (float)rate), .in_evaluation = in_evaluation});
}

/* Srivastava et al. 2014. */
hk_tensor *hk_dropout(hk_tensor *x, double rate)
{
    return dropout(x, rate, ELEMENT, false);
}

/* Tompson et al. 2015. */
hk_tensor *hk_channel_dropout(hk_tensor *x, double rate)
{
    return dropout(x, rate, CHANNEL, false);
}

/* Monte Carlo dropout: Gal, Ghahramani 2016. */
hk_tensor *hk_mc_dropout(hk_tensor *x, double rate)
{
    return dropout(x, rate, ELEMENT, true);
}

/* Dropped values become -lambda alpha, selu's least value; scale and shift then bring mean 0 and
 * variance 1 back. Klambauer, Unterthiner, Mayr, Hochreiter 2017, arXiv:1706.02515, section 2. */
static hk_tensor *alpha_dropout(hk_tensor *x, double rate, scope unit)
{
    const double least = -1.7580993408473766;
    const double scale = 1 / sqrt((1 - rate) * (1 + rate * least * least));
    const double shift = -scale * rate * least;
    return record_rate(&hki_op_alpha_dropout, x, rate,
                       (noise){.unit = unit,
                               .scale = (float)scale,
                               .shift = (float)shift,
                               .dropped = (float)(scale * least + shift)});
}

hk_tensor *hk_alpha_dropout(hk_tensor *x, double rate)
{
    return alpha_dropout(x, rate, ELEMENT);
}

hk_tensor *hk_channel_alpha_dropout(hk_tensor *x, double rate)
{
    return alpha_dropout(x, rate, CHANNEL);
}

/* Srivastava et al. 2014, JMLR 15, section 10: noise of mean 1 and dropout's own variance. */
hk_tensor *hk_gaussian_dropout(hk_tensor *x, double rate)
{
    const double deviation = rate > 0 && rate < 1 ? sqrt(rate / (1 - rate)) : 0;
    return record_rate(&hki_op_gaussian_dropout, x, rate,
                       (noise){.deviation = (float)deviation, .scale = 1});
}

hk_tensor *hk_gaussian_noise(hk_tensor *x, double deviation)
{
    const bool allowed = deviation >= 0 && deviation < HUGE_VAL;
    return record(&hki_op_gaussian_noise, x, allowed, deviation,
                  (noise){.deviation = (float)deviation, .scale = 1, .adds = true});
}

/* Huang, Sun, Liu, Sedra, Weinberger 2016, arXiv:1603.09382, inverted. */
hk_tensor *hk_drop_path(hk_tensor *x, double rate)
{
    return record_rate(&hki_op_drop_path, x, rate,
                       (noise){.unit = SAMPLE, .scale = (float)(1 / (1 - rate))});
}

/* Wan, Zeiler, Zhang, LeCun, Fergus 2013, ICML 28, with one mask for the whole batch. */
hk_tensor *hki_drop_connect(hk_tensor *weight, double rate)
{
    return record_rate(&hki_op_drop_connect, weight, rate,
                       (noise){.unit = ELEMENT, .scale = (float)(1 / (1 - rate))});
}

static hk_tensor *noise_again(const hk_tensor *like)
{
    const noise *n = like->attributes;
    hk_tensor *x = like->inputs[0];
    const hki_op *op = like->op;
    if ((unsigned)n->unit > SAMPLE)
        return hki_fail_null(HK_BAD_ARGUMENT, "%s: unit %d, expected 0 to %d", op->name,
                             (int)n->unit, SAMPLE);
    if (op == &hki_op_dropout)
        return dropout(x, n->asked, n->unit, n->in_evaluation);
    if (op == &hki_op_alpha_dropout)
        return alpha_dropout(x, n->asked, n->unit);
    return op == &hki_op_gaussian_dropout ? hk_gaussian_dropout(x, n->asked)
           : op == &hki_op_gaussian_noise ? hk_gaussian_noise(x, n->asked)
           : op == &hki_op_drop_path      ? hk_drop_path(x, n->asked)
                                          : hki_drop_connect(x, n->asked);
}
