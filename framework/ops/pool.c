/* Pooling over windows: the largest value, the average, and the average of everything. */
#include "ops/ops.h"

#include <stddef.h>

#include "engine/engine.h"

typedef struct pooling {
    hki_pool pool;
    bool takes_largest; /* else the average */
    int size;           /* this and the window as they were asked for */
    hk_window window;
} pooling;

static void pool_forward(const hki_call *call)
{
    pooling p = *(const pooling *)call->tensor->attributes;
    p.pool.n = call->batch;
    if (p.takes_largest)
        hki_engine_active()->max_pool_forward(&p.pool, call->x[0], call->y, call->saved);
    else
        hki_engine_active()->avg_pool_forward(&p.pool, call->x[0], call->y);
}

static void pool_backward(const hki_call *call)
{
    pooling p = *(const pooling *)call->tensor->attributes;
    p.pool.n = call->batch;
    if (p.takes_largest)
        hki_engine_active()->max_pool_backward(&p.pool, call->dy, call->saved, call->dx[0]);
    else
        hki_engine_active()->avg_pool_backward(&p.pool, call->dy, call->dx[0]);
}

/* Which position of its window each output came from. */
static size_t saved_positions(const hk_tensor *y, int64_t batch)
{
    return (size_t)hki_count(&y->shape, batch) * sizeof(uint16_t);
}

static const hki_constant pool_kept[] = {
    {"size", HKI_INTEGER, offsetof(pooling, size)},
    {"stride", HKI_INTEGER, offsetof(pooling, window.stride)},
    {"padding", HKI_INTEGER, offsetof(pooling, window.padding)},
    {"pad", HKI_INTEGER, offsetof(pooling, window.pad)},
    {0}};

static hk_tensor *pool(const hki_op *op, hk_tensor *x, int size, const hk_window *window);

static hk_tensor *pool_again(const hk_tensor *like)
{
    const pooling *p = like->attributes;
    return pool(like->op, like->inputs[0], p->size, &p->window);
}

const hki_op hki_op_maxpool = {.name = "maxpool",
                               .operands = 1,
                               .attribute_bytes = sizeof(pooling),
                               .kept = pool_kept,
                               .again = pool_again,
                               .forward = pool_forward,
                               .backward = pool_backward,
                               .saved_bytes = saved_positions};
const hki_op hki_op_avgpool = {.name = "avgpool",
                               .operands = 1,
                               .attribute_bytes = sizeof(pooling),
                               .kept = pool_kept,
                               .again = pool_again,
                               .forward = pool_forward,
                               .backward = pool_backward};

static hk_tensor *pool(const hki_op *op, hk_tensor *x, int size, const hk_window *window)
{
    if (hki_null_operand(op->name, x))
        return NULL;
    if (x->shape.ndim != 4 || !hki_is_batched(&x->shape))
        return hki_fail_null(HK_BAD_SHAPE, "%s: expects [batch, height, width, channels], not %s",
                             op->name, hki_shape_text(&x->shape));
    if (size > 255 || window->dilation > 1 || window->groups > 1)
        return hki_fail_null(HK_BAD_ARGUMENT,
                             "%s: windows are at most 255 wide, without dilation and groups",
                             op->name);
    int stride = window->stride ? window->stride : 1;
    hki_pool p = {.h = (int)x->shape.dims[1],
                  .w = (int)x->shape.dims[2],
                  .c = (int)x->shape.dims[3],
                  .kh = size,
                  .kw = size,
                  .sh = stride,
                  .sw = stride};
    if (!hki_window_extent(op->name, p.h, size, window, &p.oh, &p.ph) ||
        !hki_window_extent(op->name, p.w, size, window, &p.ow, &p.pw))
        return NULL;
    pooling all = {p, op == &hki_op_maxpool, size, *window};
    return hki_compute(op, &x, 1, HK_SHAPE(HK_BATCH, p.oh, p.ow, p.c), &all);
}

hk_tensor *hk_maxpool2d(hk_tensor *x, int size, hk_window window)
{
    return pool(&hki_op_maxpool, x, size, &window);
}

hk_tensor *hk_avgpool2d(hk_tensor *x, int size, hk_window window)
{
    return pool(&hki_op_avgpool, x, size, &window);
}

hk_tensor *hk_global_avgpool(hk_tensor *x)
{
    if (x && (x->shape.ndim != 4 || !hki_is_batched(&x->shape)))
        return hki_fail_null(
            HK_BAD_SHAPE, "global average pooling expects [batch, height, width, channels], not %s",
            hki_shape_text(&x->shape));
    return hk_flatten(hk_mean(x, HK_AXIS(1) | HK_AXIS(2)));
}
