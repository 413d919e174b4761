/* exp, log, pow, scale, neg, element by element: y = f(x; v), dx = dy f'(x, y; v). */
#include "ops/ops.h"

#include <hillock/kernel.h>

#include "engine/kernels.h"

/* f, or its slope. */
typedef float function(bool slope, float x, float y, float v);

/* Some elements: forward out = f(x), back out = dy f'(x, y). */
typedef struct run {
    int64_t first, end;
    const float *x, *y, *dy; /* dy: NULL forward */
    float *out, v;
} run;
typedef void runner(const run *r);

typedef struct unary {
    runner *runs;
    float v;
} unary;

/* Where f is inlined: a runner is two plain loops. */
HK_INLINE void loops(function *f, const run *r)
{
    if (!r->dy) {
        HK_VECTORIZE
        for (int64_t i = r->first; i < r->end; i++)
            r->out[i] = f(false, r->x[i], 0, r->v);
    } else {
        HK_VECTORIZE
        for (int64_t i = r->first; i < r->end; i++)
            r->out[i] = r->dy[i] * f(true, r->x[i], r->y[i], r->v);
    }
}

static void in_pieces(const hki_call *call, run all)
{
    const unary *u = call->tensor->attributes;
    const int64_t n = hki_count(&call->tensor->shape, call->batch), piece = 4096;
#pragma omp parallel for num_threads(hki_threads_for(n)) schedule(static)
    for (int64_t first = 0; first < n; first += piece) {
        run r = all;
        r.first = first;
        r.end = hki_min(first + piece, n);
        r.v = u->v;
        u->runs(&r);
    }
}

static void unary_forward(const hki_call *call)
{
    in_pieces(call, (run){.x = call->x[0], .out = call->y});
}

static void unary_backward(const hki_call *call)
{
    in_pieces(call, (run){.x = call->x[0], .y = call->y, .dy = call->dy, .out = call->dx[0]});
}

static hk_tensor *record(const hki_op *op, runner *runs, hk_tensor *x, double v)
{
    unary u = {runs, (float)v};
    return x ? hki_compute(op, &x, 1, x->shape, &u, sizeof u) : NULL;
}

/* ---- The operations ------------------------------------------------------------------------------------ */

HK_INLINE float exponential(bool slope, float x, float y, float v)
{
    (void)v;
    return slope ? y : hks_exp(x);
}
static void run_exp(const run *r)
{
    loops(exponential, r);
}
static const hki_op op_exp = {
    .name = "exp", .forward = unary_forward, .backward = unary_backward, .reads = hki_reads_result};

hk_tensor *hk_exp(hk_tensor *x)
{
    return record(&op_exp, run_exp, x, 0);
}

HK_INLINE float logarithm(bool slope, float x, float y, float v)
{
    (void)y, (void)v;
    return slope ? 1 / x : hks_log(x);
}
static void run_log(const run *r)
{
    loops(logarithm, r);
}
static const hki_op op_log = {.name = "log",
                              .forward = unary_forward,
                              .backward = unary_backward,
                              .reads = hki_reads_operands};

hk_tensor *hk_log(hk_tensor *x)
{
    return record(&op_log, run_log, x, 0);
}

/* Small whole exponents by multiplication; others as exp(v log x), so x must not be negative.
 * The relative error of the latter grows with |v log x|. */
HK_INLINE float power_of(float x, float v)
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
HK_INLINE float power(bool slope, float x, float y, float v)
{
    (void)y;
    return !slope ? power_of(x, v) : v == 0 ? 0 : v * power_of(x, v - 1);
}
static void run_pow(const run *r)
{
    loops(power, r);
}
static const hki_op op_pow = {.name = "pow",
                              .forward = unary_forward,
                              .backward = unary_backward,
                              .reads = hki_reads_operands};

hk_tensor *hk_pow(hk_tensor *x, double exponent)
{
    return record(&op_pow, run_pow, x, exponent);
}

HK_INLINE float multiple(bool slope, float x, float y, float v)
{
    (void)slope, (void)y;
    return v * x;
}
static void run_scale(const run *r)
{
    loops(multiple, r);
}
/* As forward, on dy: neither x nor y is kept. */
static void scale_backward(const hki_call *call)
{
    in_pieces(call, (run){.x = call->dy, .out = call->dx[0]});
}
static const hki_op op_scale = {
    .name = "scale", .forward = unary_forward, .backward = scale_backward, .in_place = hki_always};

hk_tensor *hk_scale(hk_tensor *x, double factor)
{
    return record(&op_scale, run_scale, x, factor);
}

hk_tensor *hk_neg(hk_tensor *x)
{
    return record(&op_scale, run_scale, x, -1);
}
