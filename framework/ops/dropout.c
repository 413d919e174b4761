/* Dropout, inverted: Srivastava et al. 2014; of whole channels: Tompson et al. 2015; in evaluation,
 * too: Gal, Ghahramani 2016.
 *
 * The mask is a function of the step's key and the element's (or sample and channel's) index, so
 * backward draws it again instead of keeping it, and threads do not matter. */
#include "ops/ops.h"

#include <string.h>

#include <hillock/random.h>

typedef struct dropout {
    float rate;
    bool of_channels;
    bool always; /* in evaluation, too */
} dropout;

/* out = x times 1 / (1 - rate), or 0 where the draw is below the rate. */
static void drop_elements(const hki_call *call, float rate, int64_t n, const float *x, float *out)
{
    float scale = 1 / (1 - rate);
    uint32_t limit = (uint32_t)(rate * 0x1p24f);
#pragma omp parallel for num_threads(hki_threads_for(n)) schedule(static)
    for (int64_t block = 0; block < (n + 3) / 4; block++) {
        uint32_t draw[4];
        hks_philox(call->key, (uint64_t)block, draw);
        for (int64_t i = 4 * block; i < 4 * block + 4 && i < n; i++)
            out[i] = draw[i % 4] >> 8 < limit ? 0 : x[i] * scale;
    }
}

static void drop_channels(const hki_call *call, float rate, const float *x, float *out)
{
    int64_t c = hki_channels(&call->tensor->shape), samples = call->batch;
    int64_t rows = hki_rows(&call->tensor->shape, samples) / samples;
    float scale = 1 / (1 - rate);
#pragma omp parallel for num_threads(hki_threads_for(samples * rows * c)) schedule(static)
    for (int64_t s = 0; s < samples; s++)
        for (int64_t j = 0; j < c; j++) {
            float factor = hks_uniform(call->key, (uint64_t)(s * c + j)) < rate ? 0 : scale;
            for (int64_t r = s * rows; r < (s + 1) * rows; r++)
                out[r * c + j] = x[r * c + j] * factor;
        }
}

static void drop(const hki_call *call, const float *x, float *out)
{
    const dropout *d = call->tensor->attributes;
    int64_t n = hki_count(&call->tensor->shape, call->batch);
    if (!call->training && !d->always) {
        if (out != x)
            memcpy(out, x, (size_t)n * sizeof *out);
    } else if (d->of_channels) {
        drop_channels(call, d->rate, x, out);
    } else {
        drop_elements(call, d->rate, n, x, out);
    }
}

static void dropout_forward(const hki_call *call)
{
    drop(call, call->x[0], call->y);
}

static void dropout_backward(const hki_call *call)
{
    drop(call, call->dy, call->dx[0]);
}

static const hki_op op_dropout = {.name = "dropout",
                                  .forward = dropout_forward,
                                  .backward = dropout_backward,
                                  .in_place = hki_always};

static hk_tensor *record(hk_tensor *x, double rate, bool of_channels, bool in_evaluation)
{
    if (!x)
        return NULL;
    if (!(rate >= 0 && rate < 1)) {
        hki_fail(HK_BAD_ARGUMENT, "dropout: rate %g is outside [0, 1)", rate);
        return NULL;
    }
    if (!hki_is_batched(&x->shape)) {
        hki_fail(HK_BAD_SHAPE, "dropout: expects a batch, not %s", hki_shape_text(&x->shape));
        return NULL;
    }
    dropout d = {(float)rate, of_channels, in_evaluation};
    return hki_compute(&op_dropout, &x, 1, x->shape, &d, sizeof d);
}

hk_tensor *hk_dropout(hk_tensor *x, double rate)
{
    return record(x, rate, false, false);
}

hk_tensor *hk_channel_dropout(hk_tensor *x, double rate)
{
    return record(x, rate, true, false);
}

hk_tensor *hk_mc_dropout(hk_tensor *x, double rate)
{
    return record(x, rate, false, true);
}
