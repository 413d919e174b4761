/* exp, log, pow, scale, neg, element by element: y = f(x; v), dx = dy f'(x, y; v). */
#include "ops/ops.h"

#include <stddef.h>

#include <hillock/kernel.h>

#include "engine/kernels.h"

typedef enum kind { EXP, LOG, POW, SCALE } kind;

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

/* f, or its slope. */
HK_INLINE float function(kind k, bool slope, float x, float y, float v)
{
    switch (k) {
    case EXP: return slope ? y : hks_exp(x);
    case LOG: return slope ? 1 / x : hks_log(x);
    case POW: return !slope ? power_of(x, v) : v == 0 ? 0 : v * power_of(x, v - 1);
    default: return v * x;
    }
}

/* Some elements: forward out = f(x), backward out = dy f'(x, y). */
typedef struct run {
    int64_t first, end;
    const float *x, *y, *dy; /* dy: NULL forward */
    float *out;
} run;

typedef struct unary {
    kind k;
    float v;
    double number; /* v, as it was asked for */
} unary;

/* The kind is a constant where it is inlined: two plain loops. */
HK_INLINE void loops(kind k, float v, const run *r)
{
    if (!r->dy) {
        HK_VECTORIZE
        for (int64_t i = r->first; i < r->end; i++)
            r->out[i] = function(k, false, r->x[i], 0, v);
    } else {
        HK_VECTORIZE
        for (int64_t i = r->first; i < r->end; i++)
            r->out[i] = r->dy[i] * function(k, true, r->x[i], r->y[i], v);
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
        switch (u->k) {
        case EXP: loops(EXP, u->v, &r); break;
        case LOG: loops(LOG, u->v, &r); break;
        case POW: loops(POW, u->v, &r); break;
        case SCALE: loops(SCALE, u->v, &r); break;
        }
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

/* As forward, on dy: neither x nor y is saved. */
static void scale_backward(const hki_call *call)
{
    in_pieces(call, (run){.x = call->dy, .out = call->dx[0]});
}

static const hki_constant pow_kept[] = {{"exponent", HKI_REAL, offsetof(unary, number)}, {0}},
                          scale_kept[] = {{"factor", HKI_REAL, offsetof(unary, number)}, {0}};

static hk_tensor *unary_again(const hk_tensor *like)
{
    const unary *u = like->attributes;
    hk_tensor *x = like->inputs[0];
    return like->op == &hki_op_exp   ? hk_exp(x)
           : like->op == &hki_op_log ? hk_log(x)
           : like->op == &hki_op_pow ? hk_pow(x, u->number)
                                     : hk_scale(x, u->number);
}

#define UNARY(name_, backward_, ...)                                                               \
    {                                                                                              \
        .name = name_, .operands = 1, .attribute_bytes = sizeof(unary), .again = unary_again,      \
        .forward = unary_forward, .backward = backward_, __VA_ARGS__                               \
    }
const hki_op hki_op_exp = UNARY("exp", unary_backward, .reads = hki_reads_result),
             hki_op_log = UNARY("log", unary_backward, .reads = hki_reads_operands),
             hki_op_pow =
                 UNARY("pow", unary_backward, .reads = hki_reads_operands, .kept = pow_kept),
             hki_op_scale =
                 UNARY("scale", scale_backward, .in_place = hki_always, .kept = scale_kept);

static hk_tensor *record(const hki_op *op, kind k, hk_tensor *x, double v)
{
    unary u = {k, (float)v, v};
    if (hki_null_operand(op->name, x))
        return NULL;
    return hki_compute(op, &x, 1, x->shape, &u);
}

hk_tensor *hk_exp(hk_tensor *x)
{
    return record(&hki_op_exp, EXP, x, 0);
}

hk_tensor *hk_log(hk_tensor *x)
{
    return record(&hki_op_log, LOG, x, 0);
}

hk_tensor *hk_pow(hk_tensor *x, double exponent)
{
    return record(&hki_op_pow, POW, x, exponent);
}

hk_tensor *hk_scale(hk_tensor *x, double factor)
{
    return record(&hki_op_scale, SCALE, x, factor);
}

hk_tensor *hk_neg(hk_tensor *x)
{
    return record(&hki_op_scale, SCALE, x, -1);
}
