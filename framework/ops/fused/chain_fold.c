/* Folding. In evaluation a normalization with statistics of the past is a scale and a shift for
 * each filter. Where filters are prepared they become part of them and of the bias. */
#include "ops/fused/chain.h"

#include "engine/engine.h"

static bool are_leaves(const hk_tensor *recorded)
{
    for (int i = 1; i < recorded->n_inputs; i++)
        if (!recorded->inputs[i]->value)
            return false;
    return true;
}

static const hk_normalization *normalization_of(const hki_chain *chain)
{
    return hki_use_of(chain->norm)->plugin->normalization;
}

bool hki_chain_folds(const hki_chain *chain)
{
    return chain->conv && chain->norm && are_leaves(chain->conv) && are_leaves(chain->norm) &&
           normalization_of(chain)->frozen;
}

static int64_t filter_floats(const hki_chain *chain)
{
    return hki_count(&chain->conv->inputs[1]->shape, 1);
}

/* Returns the bytes that it takes; counts alone at a base of NULL. */
static size_t place(const hki_chain *chain, const hki_conv *conv, char *base, hki_folded *out)
{
    size_t used = 0, engine = hki_engine_active()->conv_prepared(conv);
    size_t row = (size_t)conv->k * sizeof(float);
    hki_take(base, &used, sizeof *out);
    out->filters = hki_take(base, &used, (size_t)filter_floats(chain) * sizeof(float));
    out->bias = hki_take(base, &used, row);
    out->coef = hki_take(base, &used, normalization_of(chain)->n_coef * row);
    out->engine = engine ? hki_take(base, &used, engine) : NULL;
    return used;
}

static void fold(const hki_call *call, const hki_conv *conv, void *prepared)
{
    const hki_chain *chain = call->tensor->attributes;
    const float *filters = call->x[1], *bias = chain->conv->n_inputs > 2 ? call->x[2] : NULL;
    float *slots[HK_MAX_SLOTS];
    hk_context context = hki_context_of(call, chain->norm, slots);
    hki_folded *f = prepared;
    place(chain, conv, prepared, f);
    normalization_of(chain)->frozen(&context, f->coef);
    const float *scale = f->coef, *shift = f->coef + conv->k;
    for (int64_t i = 0; i < filter_floats(chain); i++)
        f->filters[i] = filters[i] * scale[i % conv->k];
    for (int k = 0; k < conv->k; k++)
        f->bias[k] = (bias ? bias[k] * scale[k] : 0) + shift[k];
    if (f->engine)
        hki_engine_active()->conv_prepare(conv, f->filters, f->engine);
}

size_t hki_chain_prepared(const hk_tensor *y, int64_t batch)
{
    const hki_chain *chain = y->attributes;
    if (!chain->conv)
        return 0;
    hki_conv conv = hki_conv_of(chain->conv, batch);
    hki_folded unused;
    return hki_chain_folds(chain) ? place(chain, &conv, NULL, &unused)
                                  : hki_op_conv2d.prepared_bytes(chain->conv, batch);
}

void hki_chain_prepare(const hki_call *call, void *prepared)
{
    const hki_chain *chain = call->tensor->attributes;
    hki_conv conv = hki_conv_of(chain->conv, call->batch);
    if (hki_chain_folds(chain))
        fold(call, &conv, prepared);
    else
        hki_engine_active()->conv_prepare(&conv, call->x[1], prepared);
}
