/* Sum and mean over axes; reduced axes stay with extent 1. */
#include "ops/ops.h"

#include <stddef.h>

typedef struct reduction {
    unsigned axes;
    bool is_mean;
} reduction;

/* What the sum is multiplied with: 1, or 1 / (number of elements summed) for a mean. */
static double factor(const hki_call *call)
{
    const reduction *r = call->tensor->attributes;
    int64_t from = hki_count(&call->tensor->inputs[0]->shape, call->batch);
    int64_t to = hki_count(&call->tensor->shape, call->batch);
    return r->is_mean ? (double)to / (double)from : 1;
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

static const hki_constant reduce_kept[] = {{"axes", HKI_INTEGER, offsetof(reduction, axes)},
                                           {"mean", HKI_YES_NO, offsetof(reduction, is_mean)},
                                           {0}};

static hk_tensor *reduce(hk_tensor *x, unsigned axes, bool is_mean);

static hk_tensor *reduce_again(const hk_tensor *like)
{
    const reduction *r = like->attributes;
    return reduce(like->inputs[0], r->axes, r->is_mean);
}

const hki_op hki_op_reduce = {.name = "sum",
                              .operands = 1,
                              .attribute_bytes = sizeof(reduction),
                              .kept = reduce_kept,
                              .again = reduce_again,
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
    return hki_compute(&hki_op_reduce, &x, 1, shape, &(reduction){axes, is_mean});
}

hk_tensor *hk_sum(hk_tensor *x, unsigned axes)
{
    return reduce(x, axes, false);
}

hk_tensor *hk_mean(hk_tensor *x, unsigned axes)
{
    return reduce(x, axes, true);
}
