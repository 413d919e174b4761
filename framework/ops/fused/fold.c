/* Folding. In evaluation a normalization with statistics of the past is a scale and a shift for
 * each filter. Where filters are packed they become part of them and of the bias. */
#include "ops/fused/fused.h"

#include "engine/engine.h"

static bool are_leaves(const hk_tensor *recorded)
{
    for (int i = 1; i < recorded->n_inputs; i++)
        if (!recorded->inputs[i]->value)
            return false;
    return true;
}

static const hk_normalization *normalization_of(const hki_fused *fused)
{
    return hki_use_of(fused->norm)->plugin->normalization;
}

bool hki_fused_folds(const hki_fused *fused)
{
    return fused->conv && fused->norm && are_leaves(fused->conv) && are_leaves(fused->norm) &&
           normalization_of(fused)->frozen;
}

static int64_t filter_floats(const hki_fused *fused)
{
    return hki_count(&fused->conv->inputs[1]->shape, 1);
}

/* Returns the bytes that it takes; counts alone at a base of NULL. */
static size_t place(const hki_fused *fused, const hki_conv *conv, char *base, hki_folded *out)
{
    size_t used = 0, engine = hki_engine_active()->conv_packed_bytes(conv);
    size_t row = (size_t)conv->k * sizeof(float);
    hki_take(base, &used, sizeof *out);
    out->filters = hki_take(base, &used, (size_t)filter_floats(fused) * sizeof(float));
    out->bias = hki_take(base, &used, row);
    out->coef = hki_take(base, &used, normalization_of(fused)->n_coef * row);
    out->engine = engine ? hki_take(base, &used, engine) : NULL;
    return used;
}

size_t hki_fused_packed_bytes(const hk_tensor *y, int64_t batch)
{
    const hki_fused *fused = y->attributes;
    if (!fused->conv)
        return 0;
    hki_conv conv = hki_conv_of(fused->conv, batch);
    hki_folded unused;
    return hki_fused_folds(fused) ? place(fused, &conv, NULL, &unused)
                                  : hki_op_conv2d.packed_bytes(fused->conv, batch);
}

void hki_fused_pack(const hki_call *call, void *packed)
{
    const hki_fused *fused = call->tensor->attributes;
    hki_conv conv = hki_conv_of(fused->conv, call->batch);
    const float *filters = call->x[1], *bias = fused->conv->n_inputs > 2 ? call->x[2] : NULL;
    if (!hki_fused_folds(fused)) {
        hki_engine_active()->conv_pack(&conv, filters, packed);
        return;
    }
    float *slots[HK_MAX_SLOTS];
    hk_context context = hki_context_of(call, fused->norm, slots);
    hki_folded *f = packed;
    place(fused, &conv, packed, f);
    normalization_of(fused)->frozen(&context, f->coef);
    const float *scale = f->coef, *shift = f->coef + conv.k;
    for (int64_t i = 0; i < filter_floats(fused); i++)
        f->filters[i] = filters[i] * scale[i % conv.k];
    for (int k = 0; k < conv.k; k++)
        f->bias[k] = (bias ? bias[k] * scale[k] : 0) + shift[k];
    if (f->engine)
        hki_engine_active()->conv_pack(&conv, f->filters, f->engine);
}
