/* add, sub, mul, div, element by element, with broadcasting.
 *
 * The loop is an inline function that takes the arithmetic as a function: after inlining it is a
 * plain vectorised loop. */
#include "ops/ops.h"

#define INLINE static inline __attribute__((always_inline))

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
                              .reads = hki_reads_operands,
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
                              .reads = hki_reads_operands,
                              .scratch_bytes = binary_scratch};

hk_tensor *hk_div(hk_tensor *a, hk_tensor *b)
{
    return pair(&op_div, a, b);
}
