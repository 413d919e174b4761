/* Products of matrices: y[m, n] = x[m, k] w[k, n] + bias[n], rows of x being everything but its
 * last dimension. */
#include "ops/ops.h"

#include "engine/engine.h"

typedef struct product {
    int64_t m, n, k;
} product;

static product product_of(const hk_tensor *y, int64_t batch)
{
    return (product){.m = hki_rows(&y->shape, batch),
                     .n = hki_channels(&y->shape),
                     .k = hki_channels(&y->inputs[0]->shape)};
}

static void linear_forward(const hki_call *call)
{
    product p = product_of(call->tensor, call->batch);
    const float *bias = call->tensor->n_inputs > 2 ? call->x[2] : NULL;
    hki_engine_active()->gemm(p.m, p.n, p.k, false, false, call->x[0], call->x[1], bias, call->y,
                              call->scratch);
}

/* dx = dy w', dw = x' dy, dbias = column sums of dy. */
static void linear_backward(const hki_call *call)
{
    const hki_engine *engine = hki_engine_active();
    product p = product_of(call->tensor, call->batch);
    if (call->dx[0])
        engine->gemm(p.m, p.k, p.n, false, true, call->dy, call->x[1], NULL, call->dx[0],
                     call->scratch);
    if (call->dx[1])
        engine->gemm(p.k, p.n, p.m, true, false, call->x[0], call->dy, NULL, call->dx[1],
                     call->scratch);
    if (call->dx[2])
        engine->column_sums(p.m, p.n, call->dy, call->dx[2], call->scratch);
}

static size_t linear_scratch(const hk_tensor *y, int64_t batch)
{
    const hki_engine *engine = hki_engine_active();
    product p = product_of(y, batch);
    const size_t needs[] = {engine->gemm_scratch(p.m, p.n, p.k, false, false),
                            engine->gemm_scratch(p.m, p.k, p.n, false, true),
                            engine->gemm_scratch(p.k, p.n, p.m, true, false),
                            engine->column_sums_scratch(p.m, p.n)};
    size_t most = 0;
    for (size_t i = 0; i < sizeof needs / sizeof *needs; i++)
        most = needs[i] > most ? needs[i] : most;
    return most;
}

static hk_tensor *linear_again(const hk_tensor *like)
{
    return hki_linear(like->inputs[0], like->inputs[1], like->inputs[2]);
}

const hki_op hki_op_linear = {.name = "matmul",
                              .operands = 2,
                              .optional = 1,
                              .again = linear_again,
                              .forward = linear_forward,
                              .backward = linear_backward,
                              .reads = hki_reads_operands,
                              .scratch_bytes = linear_scratch};

hk_tensor *hki_linear(hk_tensor *x, hk_tensor *weight, hk_tensor *bias)
{
    if (hki_null_operand("matmul", x, weight))
        return NULL;
    bool fits = hki_has_channels(&x->shape) && weight->shape.ndim == 2 &&
                !hki_is_batched(&weight->shape) && hki_channels(&x->shape) == weight->shape.dims[0];
    bool bias_fits = !bias || (bias->shape.ndim == 1 && weight->shape.ndim == 2 &&
                               bias->shape.dims[0] == weight->shape.dims[1]);
    if (fits && !bias_fits)
        return hki_fail_null(HK_BAD_SHAPE, "matmul: bias %s does not fit a product with %s",
                             hki_shape_text(&bias->shape), hki_shape_text(&weight->shape));
    if (!fits)
        return hki_fail_null(HK_BAD_SHAPE,
                             "matmul: %s times %s: the last dimension of the first must be the "
                             "first of the second, a matrix",
                             hki_shape_text(&x->shape), hki_shape_text(&weight->shape));
    hk_shape shape = x->shape;
    shape.dims[shape.ndim - 1] = weight->shape.dims[1];
    return hki_compute(&hki_op_linear, (hk_tensor *[]){x, weight, bias}, bias ? 3 : 2, shape, NULL);
}

hk_tensor *hk_matmul(hk_tensor *a, hk_tensor *b)
{
    return hki_linear(a, b, NULL);
}
