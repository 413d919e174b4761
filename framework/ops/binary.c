/* add, sub, mul, div, element by element, with broadcasting. */
#include "ops/ops.h"

#include <hillock/kernel.h>

#include "engine/kernels.h"

typedef enum kind { ADD, SUB, MUL, DIV } kind;
typedef enum wanted { VALUE, BY_A, BY_B } wanted;

/* The value, or dy times its slope by one operand. */
HK_INLINE float arithmetic(kind k, wanted what, float a, float b, float dy)
{
    switch (k) {
    case ADD: return what == VALUE ? a + b : dy;
    case SUB: return what == VALUE ? a - b : what == BY_A ? dy : -dy;
    case MUL: return what == VALUE ? a * b : what == BY_A ? dy * b : dy * a;
    default: return what == VALUE ? a / b : what == BY_A ? dy / b : -dy * a / (b * b);
    }
}

/* Elements of one row; an operand's step is 0 where it is repeated. */
typedef struct run {
    int64_t n, step_a, step_b;
    const float *a, *b, *dy; /* dy: NULL for the value */
    float *out;
} run;

HK_INLINE void loop(kind k, wanted what, const run *r)
{
    HK_VECTORIZE
    for (int64_t i = 0; i < r->n; i++)
        r->out[i] = arithmetic(k, what, r->a[i * r->step_a], r->b[i * r->step_b],
                               what == VALUE ? 0 : r->dy[i]);
}

/* Constants where they are inlined: each kind is three plain loops. */
HK_INLINE void loops(kind k, wanted what, const run *r)
{
    if (what == VALUE)
        loop(k, VALUE, r);
    else if (what == BY_A)
        loop(k, BY_A, r);
    else
        loop(k, BY_B, r);
}

/* out[i] = f(a[i], b[i], dy[i]), row by row; a single row, and operands of the same shape are one,
 * in pieces. */
static void zip(const hki_call *call, wanted what, float *out)
{
    const hk_tensor *y = call->tensor;
    const kind k = *(const kind *)y->attributes;
    const hki_aligned a = hki_align(&y->shape, &y->inputs[0]->shape, call->batch);
    const hki_aligned b = hki_align(&y->shape, &y->inputs[1]->shape, call->batch);
    const int64_t count = a.big_count, piece = 4096;
    const bool whole = a.small_count == count && b.small_count == count;
    const bool one_row = whole || a.big[a.ndim - 1] == count;
    const int64_t length = one_row ? piece : a.big[a.ndim - 1];
    const int64_t step_a = whole ? 1 : a.stride[a.ndim - 1];
    const int64_t step_b = whole ? 1 : b.stride[b.ndim - 1];
#pragma omp parallel for num_threads(hki_threads_for(count)) schedule(static)
    for (int64_t i = 0; i < hki_ceil(count, length); i++) {
        const int64_t first = i * length;
        const run r = {.n = hki_min(length, count - first),
                       .step_a = step_a,
                       .step_b = step_b,
                       .a = call->x[0] + (one_row ? first * step_a : hki_row_at(&a, i)),
                       .b = call->x[1] + (one_row ? first * step_b : hki_row_at(&b, i)),
                       .dy = what == VALUE ? NULL : call->dy + first,
                       .out = out + first};
        switch (k) {
        case ADD: loops(ADD, what, &r); break;
        case SUB: loops(SUB, what, &r); break;
        case MUL: loops(MUL, what, &r); break;
        case DIV: loops(DIV, what, &r); break;
        }
    }
}

static void binary_forward(const hki_call *call)
{
    zip(call, VALUE, call->y);
}

/* The gradient of operand i: written straight, or aside and summed over where it was repeated. */
static void zip_back(const hki_call *call, int i)
{
    const hk_tensor *y = call->tensor, *x = y->inputs[i];
    const int64_t count = hki_count(&y->shape, call->batch);
    float *aside = call->scratch;
    if (!call->dx[i])
        return;
    if (hki_count(&x->shape, call->batch) == count) {
        zip(call, i ? BY_B : BY_A, call->dx[i]);
        return;
    }
    zip(call, i ? BY_B : BY_A, aside);
    hki_sum_to(&y->shape, &x->shape, call->batch, 1, aside, call->dx[i], aside + hki_lines(count));
}

/* The first operand's gradient is dy where the plan put both in one place. */
static void binary_backward(const hki_call *call)
{
    zip_back(call, 1);
    if (call->dx[0] != call->dy)
        zip_back(call, 0);
}

/* The first operand has y's shape, so y and its gradient may take its place. */
static bool first_is_whole(const hk_tensor *y)
{
    return hki_same_shape(&y->inputs[0]->shape, &y->shape);
}

static size_t binary_scratch(const hk_tensor *y, int64_t batch)
{
    size_t a = hki_sum_scratch(&y->shape, &y->inputs[0]->shape, batch);
    size_t b = hki_sum_scratch(&y->shape, &y->inputs[1]->shape, batch);
    size_t aside = hki_lines(hki_count(&y->shape, batch)) * sizeof(float);
    bool repeats = !first_is_whole(y) || !hki_same_shape(&y->inputs[1]->shape, &y->shape);
    return repeats ? aside + (a > b ? a : b) : 0;
}

static hk_tensor *record(const hki_op *op, kind k, hk_tensor *a, hk_tensor *b)
{
    if (hki_null_operand(op->name, a, b))
        return NULL;
    hk_shape shape = a->shape.ndim >= b->shape.ndim ? a->shape : b->shape;
    for (int i = 1; i <= shape.ndim; i++) {
        int64_t da = i <= a->shape.ndim ? a->shape.dims[a->shape.ndim - i] : 1;
        int64_t db = i <= b->shape.ndim ? b->shape.dims[b->shape.ndim - i] : 1;
        shape.dims[shape.ndim - i] = da == 1 ? db : da;
    }
    if (!hki_broadcasts_to(&a->shape, &shape) || !hki_broadcasts_to(&b->shape, &shape))
        return hki_fail_null(HK_BAD_SHAPE, "%s: shapes %s and %s cannot be broadcast together",
                             op->name, hki_shape_text(&a->shape), hki_shape_text(&b->shape));
    return hki_compute(op, (hk_tensor *[]){a, b}, 2, shape, &k);
}

static hk_tensor *binary_again(const hk_tensor *like)
{
    hk_tensor *a = like->inputs[0], *b = like->inputs[1];
    return like->op == &hki_op_add   ? hk_add(a, b)
           : like->op == &hki_op_sub ? hk_sub(a, b)
           : like->op == &hki_op_mul ? hk_mul(a, b)
                                     : hk_div(a, b);
}

#define BINARY(name_, ...)                                                                         \
    {                                                                                              \
        .name = name_, .operands = 2, .attribute_bytes = sizeof(kind), .again = binary_again,      \
        .forward = binary_forward, .backward = binary_backward, .scratch_bytes = binary_scratch,   \
        __VA_ARGS__                                                                                \
    }
const hki_op hki_op_add = BINARY("add", .in_place = first_is_whole),
             hki_op_sub = BINARY("sub", .in_place = first_is_whole),
             hki_op_mul = BINARY("mul", .reads = hki_reads_operands),
             hki_op_div = BINARY("div", .reads = hki_reads_operands);

hk_tensor *hk_add(hk_tensor *a, hk_tensor *b)
{
    return record(&hki_op_add, ADD, a, b);
}

hk_tensor *hk_sub(hk_tensor *a, hk_tensor *b)
{
    return record(&hki_op_sub, SUB, a, b);
}

hk_tensor *hk_mul(hk_tensor *a, hk_tensor *b)
{
    return record(&hki_op_mul, MUL, a, b);
}

hk_tensor *hk_div(hk_tensor *a, hk_tensor *b)
{
    return record(&hki_op_div, DIV, a, b);
}
