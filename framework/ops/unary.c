/* exp, log, pow, scale, neg, element by element: y = f(x; v), dx = dy f'(x, y; v).
 *
 * The loop is an inline function that takes the arithmetic as a function: after inlining it is a
 * plain vectorised loop. */
#include "ops/ops.h"

#include <hillock/kernel.h>

#define INLINE static inline __attribute__((always_inline))

typedef float unary_value(float x, float v);
typedef float unary_slope(float x, float y, float v);

INLINE void map(const hki_call *call, unary_value *value)
{
    int64_t n = hki_count(&call->tensor->shape, call->batch);
    const float v = *(const float *)call->tensor->attributes, *x = call->x[0];
    float *y = call->y;
#pragma omp parallel for num_threads(hki_threads_for(n)) schedule(static)
    for (int64_t i = 0; i < n; i++)
        y[i] = value(x[i], v);
}

INLINE void map_back(const hki_call *call, unary_slope *slope)
{
    int64_t n = hki_count(&call->tensor->shape, call->batch);
    const float v = *(const float *)call->tensor->attributes;
    const float *x = call->x[0], *y = call->y, *dy = call->dy;
    float *dx = call->dx[0];
#pragma omp parallel for num_threads(hki_threads_for(n)) schedule(static)
    for (int64_t i = 0; i < n; i++)
        dx[i] = dy[i] * slope(x[i], y[i], v);
}

static hk_tensor *unary(const hki_op *op, hk_tensor *x, double value)
{
    float v = (float)value;
    return x ? hki_compute(op, &x, 1, x->shape, &v, sizeof v) : NULL;
}

INLINE float scale_value(float x, float v)
{
    return v * x;
}
INLINE float scale_slope(float x, float y, float v)
{
    (void)x, (void)y;
    return v;
}
static void scale_forward(const hki_call *call)
{
    map(call, scale_value);
}
static void scale_backward(const hki_call *call)
{
    /* dx may be dy, and neither x nor y is kept. */
    int64_t n = hki_count(&call->tensor->shape, call->batch);
    const float v = *(const float *)call->tensor->attributes, *dy = call->dy;
    float *dx = call->dx[0];
#pragma omp parallel for num_threads(hki_threads_for(n)) schedule(static)
    for (int64_t i = 0; i < n; i++)
        dx[i] = scale_slope(0, 0, v) * dy[i];
}
static const hki_op op_scale = {
    .name = "scale", .forward = scale_forward, .backward = scale_backward, .in_place = hki_always};

hk_tensor *hk_scale(hk_tensor *x, double factor)
{
    return unary(&op_scale, x, factor);
}

hk_tensor *hk_neg(hk_tensor *x)
{
    return unary(&op_scale, x, -1);
}

INLINE float exp_value(float x, float v)
{
    (void)v;
    return hks_exp(x);
}
INLINE float exp_slope(float x, float y, float v)
{
    (void)x, (void)v;
    return y;
}
static void exp_forward(const hki_call *call)
{
    map(call, exp_value);
}
static void exp_backward(const hki_call *call)
{
    map_back(call, exp_slope);
}
static const hki_op op_exp = {
    .name = "exp", .forward = exp_forward, .backward = exp_backward, .reads = hki_reads_result};

hk_tensor *hk_exp(hk_tensor *x)
{
    return unary(&op_exp, x, 0);
}

INLINE float log_value(float x, float v)
{
    (void)v;
    return hks_log(x);
}
INLINE float log_slope(float x, float y, float v)
{
    (void)y, (void)v;
    return 1 / x;
}
static void log_forward(const hki_call *call)
{
    map(call, log_value);
}
static void log_backward(const hki_call *call)
{
    map_back(call, log_slope);
}
static const hki_op op_log = {
    .name = "log", .forward = log_forward, .backward = log_backward, .reads = hki_reads_operands};

hk_tensor *hk_log(hk_tensor *x)
{
    return unary(&op_log, x, 0);
}

/* Small whole exponents by multiplication; others as exp(v log x), so x must not be negative.
 * The relative error of the latter grows with |v log x|. */
INLINE float power(float x, float v)
{
    float size = hks_abs(v);
    if (size == 0.5f)
        return v > 0 ? hks_sqrt(x) : 1 / hks_sqrt(x);
    if (size <= 8 && size == (float)(int)size) {
        float product = 1;
        for (int i = 0; i < (int)size; i++)
            product *= x;
        return v < 0 ? 1 / product : product;
    }
    return hks_exp(v * hks_log(x));
}
INLINE float pow_slope(float x, float y, float v)
{
    (void)y;
    return v == 0 ? 0 : v * power(x, v - 1);
}
static void pow_forward(const hki_call *call)
{
    map(call, power);
}
static void pow_backward(const hki_call *call)
{
    map_back(call, pow_slope);
}
static const hki_op op_pow = {
    .name = "pow", .forward = pow_forward, .backward = pow_backward, .reads = hki_reads_operands};

hk_tensor *hk_pow(hk_tensor *x, double exponent)
{
    return unary(&op_pow, x, exponent);
}
