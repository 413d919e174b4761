/* Sum and mean over axes; reduced axes stay with extent 1. */
#include "ops/ops.h"

/* What the sum is multiplied with: 1, or 1 / (number of elements summed) for a mean. */
static double factor(const hki_call *call)
{
    bool is_mean = *(const bool *)call->tensor->attributes;
    int64_t from = hki_count(&call->tensor->inputs[0]->shape, call->batch);
    int64_t to = hki_count(&call->tensor->shape, call->batch);
    return is_mean ? (double)to / (double)from : 1;
}

static void reduce_forward(const hki_call *call)
{
    hki_sum_to(&call->tensor->inputs[0]->shape, &call->tensor->shape, call->batch, factor(call),
               call->x[0], call->y, call->scratch);
}

static void reduce_backward(const hki_call *call)
{
    hki_spread_to(&call->tensor->shape, &call->tensor->inputs[0]->shape, call->batch,
                  (float)factor(call), call->dy, call->dx[0]);
}

static size_t reduce_scratch(const hk_tensor *y, int64_t batch)
{
    return hki_sum_scratch(&y->inputs[0]->shape, &y->shape, batch);
}

static const hki_op op_reduce = {.name = "sum",
                                 .forward = reduce_forward,
                                 .backward = reduce_backward,
                                 .scratch_bytes = reduce_scratch};

static hk_tensor *reduce(hk_tensor *x, unsigned axes, bool is_mean)
{
    if (hki_null_operand(is_mean ? "mean" : "sum", x))
        return NULL;
    if (axes >> x->shape.ndim)
        return hki_fail_null(HK_BAD_ARGUMENT, "%s: axes 0x%x of a tensor of shape %s",
                             is_mean ? "mean" : "sum", axes, hki_shape_text(&x->shape));
    hk_shape shape = x->shape;
    if (axes == HK_ALL_AXES)
        shape.ndim = 0;
    for (int i = 0; i < shape.ndim; i++)
        if (axes & HK_AXIS(i))
            shape.dims[i] = 1;
    return hki_compute(&op_reduce, &x, 1, shape, &is_mean, sizeof is_mean);
}

hk_tensor *hk_sum(hk_tensor *x, unsigned axes)
{
    return reduce(x, axes, false);
}

hk_tensor *hk_mean(hk_tensor *x, unsigned axes)
{
    return reduce(x, axes, true);
}
