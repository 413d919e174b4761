/* Numbers of few bits, simulated: y = scale (clamp(round(x / scale), low, high)).
 *
 * low and high count from the zero point, so that 0 stays 0 exactly, as padding needs. Backward passes
 * dy through where x is in range, else 0: Bengio, Leonard, Courville 2013, and Jacob et al. 2018. */
#include "ops/ops.h"

#include <stddef.h>

#include <hillock/kernel.h>

#include "engine/kernels.h"

static const hki_constant kept[] = {{"scale", HKI_REAL, offsetof(hk_steps, scale)},
                                    {"low", HKI_INTEGER, offsetof(hk_steps, low)},
                                    {"high", HKI_INTEGER, offsetof(hk_steps, high)},
                                    {0}};

/* Ties to even: the sum with 3 * 2^22 has no place for a fraction. */
HK_INLINE float to_whole(float x)
{
    return (x + 0x1.8p23f) - 0x1.8p23f;
}

HK_INLINE float in_range(float x, float low, float high)
{
    return x < low ? low : x > high ? high : x; /* NaN stays */
}

void hki_quantise(const hk_steps *steps, int64_t n, const float *x, float *y)
{
    const float scale = (float)steps->scale, low = (float)steps->low, high = (float)steps->high;
    HK_VECTORIZE
    for (int64_t i = 0; i < n; i++)
        y[i] = scale * to_whole(in_range(x[i] / scale, low, high));
}

enum { PIECE = 4096 };

static void forward(const hki_call *call)
{
    const int64_t n = hki_count(&call->tensor->shape, call->batch);
#pragma omp parallel for num_threads(hki_threads_for(n)) schedule(static)
    for (int64_t first = 0; first < n; first += PIECE)
        hki_quantise(call->tensor->attributes, hki_min(PIECE, n - first), call->x[0] + first,
                     call->y + first);
}

static void backward(const hki_call *call)
{
    const hk_steps *steps = call->tensor->attributes;
    const int64_t n = hki_count(&call->tensor->shape, call->batch);
    const float scale = (float)steps->scale, low = (float)steps->low, high = (float)steps->high;
    const float *x = call->x[0], *dy = call->dy;
    float *dx = call->dx[0];
#pragma omp parallel for simd num_threads(hki_threads_for(n)) schedule(static)
    for (int64_t i = 0; i < n; i++)
        dx[i] = x[i] / scale >= low && x[i] / scale <= high ? dy[i] : 0;
}

static hk_tensor *again(const hk_tensor *like)
{
    return hk_quantise_steps(like->inputs[0], *(const hk_steps *)like->attributes);
}

const hki_op hki_op_quantise = {.name = "quantise",
                                .operands = 1,
                                .attribute_bytes = sizeof(hk_steps),
                                .kept = kept,
                                .again = again,
                                .forward = forward,
                                .backward = backward,
                                .reads = hki_reads_operands};

hk_tensor *hk_quantise_steps(hk_tensor *x, hk_steps steps)
{
    if (hki_null_operand("quantise", x))
        return NULL;
    if (!(steps.scale > 0 && steps.scale < 1e30) || steps.low > 0 || steps.high < 0 ||
        steps.low < -HK_MOST_STEPS || steps.high > HK_MOST_STEPS || steps.low == steps.high)
        return hki_fail_null(HK_BAD_ARGUMENT,
                             "quantise: steps of %g from %d to %d; expected a scale above 0 and "
                             "whole numbers around 0, at most %d of it",
                             steps.scale, steps.low, steps.high, HK_MOST_STEPS);
    return hki_compute(&hki_op_quantise, &x, 1, x->shape, &steps);
}
