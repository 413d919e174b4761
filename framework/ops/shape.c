/* The same values under another shape, and two tensors side by side. */
#include "ops/ops.h"

#include <string.h>

static hk_tensor *reshape_again(const hk_tensor *like)
{
    return hk_reshape(like->inputs[0], like->shape);
}

const hki_op hki_op_reshape = {
    .name = "reshape", .operands = 1, .again = reshape_again, .is_view = true};

hk_tensor *hk_reshape(hk_tensor *x, hk_shape shape)
{
    if (hki_null_operand("reshape", x) || hki_check_shape(&shape))
        return NULL;
    bool fits = hki_is_batched(&x->shape) == hki_is_batched(&shape) &&
                hki_sample_count(&x->shape) == hki_sample_count(&shape);
    if (!fits)
        return hki_fail_null(HK_BAD_SHAPE, "reshape: %s does not hold as many values as %s",
                             hki_shape_text(&x->shape), hki_shape_text(&shape));
    return hki_compute(&hki_op_reshape, &x, 1, shape, NULL);
}

hk_tensor *hk_flatten(hk_tensor *x)
{
    if (hki_null_operand("flatten", x))
        return NULL;
    int64_t values = hki_sample_count(&x->shape);
    return hk_reshape(x, hki_is_batched(&x->shape) ? HK_SHAPE(HK_BATCH, values) : HK_SHAPE(values));
}

/* The columns of input i and its own of y, in either direction. */
static void copy_columns(const hki_call *call, int i, bool back)
{
    const hk_tensor *y = call->tensor;
    const int64_t rows = hki_rows(&y->shape, call->batch), all = hki_channels(&y->shape);
    const int64_t width = hki_channels(&y->inputs[i]->shape), column = i ? all - width : 0;
    const size_t bytes = (size_t)width * sizeof(float);
    if (back && !call->dx[i])
        return;
#pragma omp parallel for num_threads(hki_threads_for((rows * width))) schedule(static)
    for (int64_t r = 0; r < rows; r++)
        if (back)
            memcpy(call->dx[i] + r * width, call->dy + r * all + column, bytes);
        else
            memcpy(call->y + r * all + column, call->x[i] + r * width, bytes);
}

static void concat_forward(const hki_call *call)
{
    copy_columns(call, 0, false);
    copy_columns(call, 1, false);
}

static void concat_backward(const hki_call *call)
{
    copy_columns(call, 0, true);
    copy_columns(call, 1, true);
}

static hk_tensor *concat_again(const hk_tensor *like)
{
    return hk_concat(like->inputs[0], like->inputs[1]);
}

const hki_op hki_op_concat = {.name = "concat",
                              .operands = 2,
                              .again = concat_again,
                              .forward = concat_forward,
                              .backward = concat_backward};

hk_tensor *hk_concat(hk_tensor *a, hk_tensor *b)
{
    if (hki_null_operand("concat", a, b))
        return NULL;
    hk_shape shape = a->shape, other = b->shape;
    bool fits = shape.ndim == other.ndim && hki_has_channels(&shape) && hki_has_channels(&other);
    if (fits) {
        other.dims[other.ndim - 1] = shape.dims[shape.ndim - 1];
        fits = hki_same_shape(&shape, &other);
    }
    if (!fits)
        return hki_fail_null(HK_BAD_SHAPE,
                             "concat: shapes %s and %s differ in more than their channels",
                             hki_shape_text(&a->shape), hki_shape_text(&b->shape));
    shape.dims[shape.ndim - 1] = hki_channels(&a->shape) + hki_channels(&b->shape);
    return hki_compute(&hki_op_concat, (hk_tensor *[]){a, b}, 2, shape, NULL);
}
