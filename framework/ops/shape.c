/* The same values under another shape, and two tensors side by side. */
#include "ops/ops.h"

#include <string.h>

const hki_op hki_op_reshape = {.name = "reshape", .is_view = true};

hk_tensor *hk_reshape(hk_tensor *x, hk_shape shape)
{
    if (!x)
        return NULL;
    bool fits = hki_is_batched(&x->shape) == hki_is_batched(&shape) &&
                hki_sample_count(&x->shape) == hki_sample_count(&shape);
    if (!fits) {
        hki_fail(HK_BAD_SHAPE, "reshape: %s does not hold as many values as %s",
                 hki_shape_text(&x->shape), hki_shape_text(&shape));
        return NULL;
    }
    return hki_compute(&hki_op_reshape, &x, 1, shape, NULL, 0);
}

hk_tensor *hk_flatten(hk_tensor *x)
{
    if (!x)
        return NULL;
    int64_t values = hki_sample_count(&x->shape);
    return hk_reshape(x, hki_is_batched(&x->shape) ? HK_SHAPE(HK_BATCH, values) : HK_SHAPE(values));
}

/* Copies columns [0, width) of `from`, whose rows are from_width apart, to rows to_width apart. */
static void copy_columns(int64_t rows, int64_t width, const float *from, int64_t from_width,
                         float *to, int64_t to_width)
{
#pragma omp parallel for num_threads(hki_threads_for((rows * width))) schedule(static)
    for (int64_t r = 0; r < rows; r++)
        memcpy(to + r * to_width, from + r * from_width, (size_t)width * sizeof *to);
}

static void concat_forward(const hki_call *call)
{
    const hk_tensor *y = call->tensor;
    int64_t rows = hki_rows(&y->shape, call->batch), width = hki_channels(&y->shape);
    for (int64_t i = 0, column = 0; i < y->n_inputs; i++) {
        int64_t part = hki_channels(&y->inputs[i]->shape);
        copy_columns(rows, part, call->x[i], part, call->y + column, width);
        column += part;
    }
}

static void concat_backward(const hki_call *call)
{
    const hk_tensor *y = call->tensor;
    int64_t rows = hki_rows(&y->shape, call->batch), width = hki_channels(&y->shape);
    for (int64_t i = 0, column = 0; i < y->n_inputs; i++) {
        int64_t part = hki_channels(&y->inputs[i]->shape);
        if (call->dx[i])
            copy_columns(rows, part, call->dy + column, width, call->dx[i], part);
        column += part;
    }
}

static const hki_op op_concat = {
    .name = "concat", .forward = concat_forward, .backward = concat_backward};

hk_tensor *hk_concat(hk_tensor *a, hk_tensor *b)
{
    if (!a || !b)
        return NULL;
    hk_shape shape = a->shape, other = b->shape;
    bool fits = shape.ndim == other.ndim && hki_has_channels(&shape) && hki_has_channels(&other);
    if (fits) {
        other.dims[other.ndim - 1] = shape.dims[shape.ndim - 1];
        fits = hki_same_shape(&shape, &other);
    }
    if (!fits) {
        hki_fail(HK_BAD_SHAPE, "concat: shapes %s and %s differ in more than their channels",
                 hki_shape_text(&a->shape), hki_shape_text(&b->shape));
        return NULL;
    }
    shape.dims[shape.ndim - 1] = hki_channels(&a->shape) + hki_channels(&b->shape);
    return hki_compute(&op_concat, (hk_tensor *[]){a, b}, 2, shape, NULL, 0);
}
