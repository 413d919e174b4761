/* Two-dimensional cross-correlation over channels-last images. */
#include "ops/ops.h"

#include <stddef.h>

#include "engine/engine.h"

bool hki_window_extent(const char *what, int size, int kernel, const hk_window *window, int *out,
                       int *before)
{
    int64_t stride = window->stride ? window->stride : 1;
    int64_t dilation = window->dilation ? window->dilation : 1;
    int64_t reach = (int64_t)(kernel - 1) * dilation + 1; /* the receptive field of one output */
    if (kernel < 1 || stride < 1 || dilation < 1 || window->pad < 0) {
        hki_fail(HK_BAD_ARGUMENT,
                 "%s: kernel %d, stride %lld, dilation %lld must be at least 1 "
                 "and padding %d at least 0",
                 what, kernel, (long long)stride, (long long)dilation, window->pad);
        return false;
    }
    int64_t output, pad = 0;
    if (window->padding == HK_SAME) {
        output = (size + stride - 1) / stride;
        int64_t both = (output - 1) * stride + reach - size;
        pad = both > 0 ? both / 2 : 0;
    } else {
        pad = window->padding == HK_EXPLICIT ? window->pad : 0;
        output = size + 2 * pad < reach ? 0 : (size + 2 * pad - reach) / stride + 1;
    }
    if (pad >= reach) {
        hki_fail(
            HK_BAD_SHAPE,
            "%s: padding of %lld beside a window of %lld: some outputs would see nothing of the "
            "input",
            what, (long long)pad, (long long)reach);
        return false;
    }
    if (output < 1 || output > HKI_MAX_DIM) {
        hki_fail(HK_BAD_SHAPE,
                 "%s: a window of %lld does not fit an input of size %d with padding %lld", what,
                 (long long)reach, size, (long long)pad);
        return false;
    }
    *out = (int)output;
    *before = (int)pad;
    return true;
}

/* hki_conv first: who needs no more reads attributes as one. */
typedef struct convolution {
    hki_conv conv;
    hk_window window; /* as it was asked for */
} convolution;

hki_conv hki_conv_of(const hk_tensor *y, int64_t batch)
{
    hki_conv conv = *(const hki_conv *)y->attributes;
    conv.n = batch;
    return conv;
}

static void conv_forward(const hki_call *call)
{
    hki_conv conv = hki_conv_of(call->tensor, call->batch);
    const float *bias = call->tensor->n_inputs > 2 ? call->x[2] : NULL;
    hki_engine_active()->conv_forward(&conv, call->x[0], call->x[1], bias, call->y, call->scratch,
                                      call->packed, NULL, NULL);
}

void hki_conv_backward(const hki_call *call, const hki_epilogue *after)
{
    const hki_engine *engine = hki_engine_active();
    hki_conv conv = hki_conv_of(call->tensor, call->batch);
    if (call->dx[0])
        engine->conv_backward_data(&conv, call->dy, call->x[1], call->adds & 1, call->dx[0],
                                   call->scratch, after);
    if (call->dx[1])
        engine->conv_backward_weight(&conv, call->x[0], call->dy, call->dx[1], call->dx[2],
                                     call->scratch);
    else if (call->dx[2])
        engine->column_sums(conv.n * conv.oh * conv.ow, conv.k, call->dy, call->dx[2],
                            call->scratch);
}

static void conv_backward(const hki_call *call)
{
    hki_conv_backward(call, NULL);
}

/* Filters that are a leaf, not made by another operation. */
static size_t conv_packed_bytes(const hk_tensor *y, int64_t batch)
{
    hki_conv conv = hki_conv_of(y, batch);
    return y->inputs[1]->value ? hki_engine_active()->conv_packed_bytes(&conv) : 0;
}

static void conv_pack(const hki_call *call, void *packed)
{
    hki_conv conv = hki_conv_of(call->tensor, call->batch);
    hki_engine_active()->conv_pack(&conv, call->x[1], packed);
}

static size_t conv_scratch(const hk_tensor *y, int64_t batch)
{
    hki_conv conv = hki_conv_of(y, batch);
    size_t passes = hki_engine_active()->conv_scratch(&conv);
    size_t sums = hki_engine_active()->column_sums_scratch(conv.n * conv.oh * conv.ow, conv.k);
    return passes > sums ? passes : sums;
}

/* The data gradient of one group joins what is there. */
static hki_operands conv_adds(const hk_tensor *y)
{
    return ((const hki_conv *)y->attributes)->groups == 1;
}

static const hki_constant conv_kept[] = {
    {"stride", HKI_INTEGER, offsetof(convolution, window.stride)},
    {"dilation", HKI_INTEGER, offsetof(convolution, window.dilation)},
    {"groups", HKI_INTEGER, offsetof(convolution, window.groups)},
    {"padding", HKI_INTEGER, offsetof(convolution, window.padding)},
    {"pad", HKI_INTEGER, offsetof(convolution, window.pad)},
    {0}};

static hk_tensor *conv_again(const hk_tensor *like)
{
    const convolution *c = like->attributes;
    return hk_conv2d(like->inputs[0], like->inputs[1], like->inputs[2], c->window);
}

const hki_op hki_op_conv2d = {.name = "conv2d",
                              .operands = 2,
                              .optional = 1,
                              .attribute_bytes = sizeof(convolution),
                              .kept = conv_kept,
                              .again = conv_again,
                              .forward = conv_forward,
                              .backward = conv_backward,
                              .reads = hki_reads_operands,
                              .packed_bytes = conv_packed_bytes,
                              .pack = conv_pack,
                              .adds = conv_adds,
                              .scratch_bytes = conv_scratch};

/* Checks ranks, groups and channels; fills everything but the output size. */
static hk_status describe(const hk_tensor *x, const hk_tensor *filters, const hk_tensor *bias,
                          const hk_window *window, hki_conv *out)
{
    const hk_shape *xs = &x->shape, *fs = &filters->shape;
    if (xs->ndim != 4 || !hki_is_batched(xs) || fs->ndim != 4 || hki_is_batched(fs))
        return hki_fail(HK_BAD_SHAPE,
                        "conv2d: expects [batch, height, width, channels] and "
                        "filters [height, width, channels, filters], not %s and %s",
                        hki_shape_text(xs), hki_shape_text(fs));
    int groups = window->groups ? window->groups : 1;
    int64_t c = xs->dims[3], k = fs->dims[3];
    if (groups < 1 || c % groups || k % groups)
        return hki_fail(HK_BAD_SHAPE,
                        "conv2d: %d groups do not divide %lld channels and %lld filters", groups,
                        (long long)c, (long long)k);
    if (fs->dims[2] != c / groups)
        return hki_fail(HK_BAD_SHAPE,
                        "conv2d: input has %lld channels in %d groups, filters expect %lld",
                        (long long)c, groups, (long long)fs->dims[2]);
    if (bias && (bias->shape.ndim != 1 || bias->shape.dims[0] != k))
        return hki_fail(HK_BAD_SHAPE, "conv2d: bias %s does not fit %lld filters",
                        hki_shape_text(&bias->shape), (long long)k);
    *out = (hki_conv){.h = (int)xs->dims[1],
                      .w = (int)xs->dims[2],
                      .c = (int)c,
                      .k = (int)k,
                      .kh = (int)fs->dims[0],
                      .kw = (int)fs->dims[1],
                      .groups = groups};
    out->sh = out->sw = window->stride ? window->stride : 1;
    out->dh = out->dw = window->dilation ? window->dilation : 1;
    return HK_OK;
}

hk_tensor *hk_conv2d(hk_tensor *x, hk_tensor *filters, hk_tensor *bias, hk_window window)
{
    convolution c = {.window = window};
    hki_conv *conv = &c.conv;
    if (hki_null_operand("conv2d", x, filters) || describe(x, filters, bias, &window, conv) ||
        !hki_window_extent("conv2d", conv->h, conv->kh, &window, &conv->oh, &conv->ph) ||
        !hki_window_extent("conv2d", conv->w, conv->kw, &window, &conv->ow, &conv->pw))
        return NULL;
    return hki_compute(&hki_op_conv2d, (hk_tensor *[HKI_CONV_INPUTS]){x, filters, bias},
                       bias ? 3 : 2, HK_SHAPE(HK_BATCH, conv->oh, conv->ow, conv->k), &c);
}
