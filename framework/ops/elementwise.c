/* Element by element: add, sub, mul, div with broadcasting; neg, exp, log, pow, scale.
 *
 * The loops are inline functions that take the arithmetic as a function; after inlining they are
 * plain vectorised loops. */
#include "ops/ops.h"

#include <hillock/kernel.h>

#define INLINE static inline __attribute__((always_inline))

/* ---- One operand: y = f(x; v), dx = dy f'(x, y; v) --------------------------------------------------- */

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

static uint32_t reads_x(const hk_tensor *y)
{
    (void)y;
    return 1;
}

static uint32_t reads_y(const hk_tensor *y)
{
    (void)y;
    return HKI_READS_OUTPUT;
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
static bool always(const hk_tensor *y)
{
    (void)y;
    return true;
}
static const hki_op op_scale = {
    .name = "scale", .forward = scale_forward, .backward = scale_backward, .in_place = always};

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
    .name = "exp", .forward = exp_forward, .backward = exp_backward, .reads = reads_y};

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
    .name = "log", .forward = log_forward, .backward = log_backward, .reads = reads_x};

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
    .name = "pow", .forward = pow_forward, .backward = pow_backward, .reads = reads_x};

hk_tensor *hk_pow(hk_tensor *x, double exponent)
{
    return unary(&op_pow, x, exponent);
}

/* ---- Two operands ------------------------------------------------------------------------------------- */

/* An operand as the loops see it: where row r starts, and the step along the row. */
typedef struct operand {
    const float *values;
    int64_t stride[HK_MAX_DIMS]; /* 0 where it is repeated */
} operand;

typedef struct pairing {
    int ndim;
    int64_t dims[HK_MAX_DIMS], rows, row;
    operand a, b;
} pairing;

static operand operand_of(const hk_tensor *t, const float *values, const pairing *p, int64_t batch)
{
    operand o = {.values = values};
    int64_t stride = 1;
    for (int i = p->ndim - 1, j = t->shape.ndim - 1; j >= 0; i--, j--) {
        int64_t extent = t->shape.dims[j] == HK_BATCH ? batch : t->shape.dims[j];
        o.stride[i] = t->shape.dims[j] == 1 ? 0 : stride;
        stride *= extent;
    }
    return o;
}

static pairing pairing_of(const hki_call *call)
{
    const hk_tensor *y = call->tensor;
    pairing p = {.ndim = y->shape.ndim, .row = hki_count(&y->shape, call->batch), .rows = 1};
    if (hki_same_shape(&y->inputs[0]->shape, &y->shape) &&
        hki_same_shape(&y->inputs[1]->shape, &y->shape)) {
        p.ndim = 1; /* one long row */
        p.dims[0] = p.row;
        p.a = (operand){call->x[0], {1}};
        p.b = (operand){call->x[1], {1}};
        return p;
    }
    for (int i = 0; i < p.ndim; i++)
        p.dims[i] = y->shape.dims[i] == HK_BATCH ? call->batch : y->shape.dims[i];
    int64_t count = p.row;
    p.row = p.ndim ? p.dims[p.ndim - 1] : 1;
    p.rows = count / p.row;
    p.a = operand_of(y->inputs[0], call->x[0], &p, call->batch);
    p.b = operand_of(y->inputs[1], call->x[1], &p, call->batch);
    return p;
}

static const float *row_of(const operand *o, const pairing *p, int64_t r)
{
    int64_t offset = 0;
    for (int i = p->ndim - 2; i >= 0; i--) {
        offset += r % p->dims[i] * o->stride[i];
        r /= p->dims[i];
    }
    return o->values + offset;
}

typedef float binary(float a, float b, float dy);

/* out[i] = f(a[i], b[i], dy[i]); dy may be NULL when f ignores it. */
INLINE void zip(const hki_call *call, const float *dy, float *out, binary *f)
{
    pairing p = pairing_of(call);
    int64_t sa = p.ndim ? p.a.stride[p.ndim - 1] : 0, sb = p.ndim ? p.b.stride[p.ndim - 1] : 0;
    int threads = hki_threads_for(p.rows * p.row);
    if (p.rows == 1) {
#pragma omp parallel for num_threads(threads) schedule(static)
        for (int64_t j = 0; j < p.row; j++)
            out[j] = f(p.a.values[j * sa], p.b.values[j * sb], dy ? dy[j] : 0);
        return;
    }
#pragma omp parallel for num_threads(threads) schedule(static)
    for (int64_t r = 0; r < p.rows; r++) {
        const float *a = row_of(&p.a, &p, r), *b = row_of(&p.b, &p, r);
        for (int64_t j = 0; j < p.row; j++)
            out[r * p.row + j] = f(a[j * sa], b[j * sb], dy ? dy[r * p.row + j] : 0);
    }
}

/* The gradient of operand i: written straight, or aside and summed over where it was repeated. */
INLINE void zip_back(const hki_call *call, int i, binary *slope)
{
    const hk_tensor *y = call->tensor, *x = y->inputs[i];
    if (!call->dx[i])
        return;
    if (hki_count(&x->shape, call->batch) == hki_count(&y->shape, call->batch)) {
        zip(call, call->dy, call->dx[i], slope);
        return;
    }
    float *aside = call->scratch;
    int64_t floats = (hki_count(&y->shape, call->batch) + 15) / 16 * 16;
    zip(call, call->dy, aside, slope);
    hki_sum_to(&y->shape, &x->shape, call->batch, 1, aside, call->dx[i], aside + floats);
}

static size_t binary_scratch(const hk_tensor *y, int64_t batch)
{
    size_t a = hki_sum_scratch(&y->shape, &y->inputs[0]->shape, batch);
    size_t b = hki_sum_scratch(&y->shape, &y->inputs[1]->shape, batch);
    size_t aside = (size_t)((hki_count(&y->shape, batch) + 15) / 16 * 16) * sizeof(float);
    bool repeats = !hki_same_shape(&y->inputs[0]->shape, &y->shape) ||
                   !hki_same_shape(&y->inputs[1]->shape, &y->shape);
    return repeats ? aside + (a > b ? a : b) : 0;
}

static uint32_t reads_both(const hk_tensor *y)
{
    (void)y;
    return 3;
}

/* The first operand has y's shape, so y and its gradient may take its place. */
static bool first_is_whole(const hk_tensor *y)
{
    return hki_same_shape(&y->inputs[0]->shape, &y->shape);
}

static hk_tensor *pair(const hki_op *op, hk_tensor *a, hk_tensor *b)
{
    if (!a || !b)
        return NULL;
    hk_shape shape = a->shape.ndim >= b->shape.ndim ? a->shape : b->shape;
    for (int i = 1; i <= shape.ndim; i++) {
        int64_t da = i <= a->shape.ndim ? a->shape.dims[a->shape.ndim - i] : 1;
        int64_t db = i <= b->shape.ndim ? b->shape.dims[b->shape.ndim - i] : 1;
        shape.dims[shape.ndim - i] = da == 1 ? db : da;
    }
    if (!hki_broadcasts_to(&a->shape, &shape) || !hki_broadcasts_to(&b->shape, &shape)) {
        hki_fail(HK_BAD_SHAPE, "%s: shapes %s and %s do not go together", op->name,
                 hki_shape_text(&a->shape), hki_shape_text(&b->shape));
        return NULL;
    }
    return hki_compute(op, (hk_tensor *[]){a, b}, 2, shape, NULL, 0);
}

INLINE float add_value(float a, float b, float dy)
{
    (void)dy;
    return a + b;
}
INLINE float pass(float a, float b, float dy)
{
    (void)a, (void)b;
    return dy;
}
INLINE float pass_negative(float a, float b, float dy)
{
    (void)a, (void)b;
    return -dy;
}
static void add_forward(const hki_call *call)
{
    zip(call, NULL, call->y, add_value);
}
static void add_backward(const hki_call *call)
{
    zip_back(call, 1, pass);
    if (call->dx[0] != call->dy)
        zip_back(call, 0, pass);
}
const hki_op hki_op_add = {.name = "add",
                              .forward = add_forward,
                              .backward = add_backward,
                              .scratch_bytes = binary_scratch,
                              .in_place = first_is_whole};

hk_tensor *hk_add(hk_tensor *a, hk_tensor *b)
{
    return pair(&hki_op_add, a, b);
}

INLINE float sub_value(float a, float b, float dy)
{
    (void)dy;
    return a - b;
}
static void sub_forward(const hki_call *call)
{
    zip(call, NULL, call->y, sub_value);
}
static void sub_backward(const hki_call *call)
{
    zip_back(call, 1, pass_negative);
    if (call->dx[0] != call->dy)
        zip_back(call, 0, pass);
}
static const hki_op op_sub = {.name = "sub",
                              .forward = sub_forward,
                              .backward = sub_backward,
                              .scratch_bytes = binary_scratch,
                              .in_place = first_is_whole};

hk_tensor *hk_sub(hk_tensor *a, hk_tensor *b)
{
    return pair(&op_sub, a, b);
}

INLINE float mul_value(float a, float b, float dy)
{
    (void)dy;
    return a * b;
}
INLINE float mul_slope_a(float a, float b, float dy)
{
    (void)a;
    return dy * b;
}
INLINE float mul_slope_b(float a, float b, float dy)
{
    (void)b;
    return dy * a;
}
static void mul_forward(const hki_call *call)
{
    zip(call, NULL, call->y, mul_value);
}
static void mul_backward(const hki_call *call)
{
    zip_back(call, 0, mul_slope_a);
    zip_back(call, 1, mul_slope_b);
}
static const hki_op op_mul = {.name = "mul",
                              .forward = mul_forward,
                              .backward = mul_backward,
                              .reads = reads_both,
                              .scratch_bytes = binary_scratch};

hk_tensor *hk_mul(hk_tensor *a, hk_tensor *b)
{
    return pair(&op_mul, a, b);
}

INLINE float div_value(float a, float b, float dy)
{
    (void)dy;
    return a / b;
}
INLINE float div_slope_a(float a, float b, float dy)
{
    (void)a;
    return dy / b;
}
INLINE float div_slope_b(float a, float b, float dy)
{
    return -dy * a / (b * b);
}
static void div_forward(const hki_call *call)
{
    zip(call, NULL, call->y, div_value);
}
static void div_backward(const hki_call *call)
{
    zip_back(call, 0, div_slope_a);
    zip_back(call, 1, div_slope_b);
}
static const hki_op op_div = {.name = "div",
                              .forward = div_forward,
                              .backward = div_backward,
                              .reads = reads_both,
                              .scratch_bytes = binary_scratch};

hk_tensor *hk_div(hk_tensor *a, hk_tensor *b)
{
    return pair(&op_div, a, b);
}
