/* What a fused step moves: each pass over a tensor counts, what a tile finds in the cache does not. */
#include "ops/fused/fusion.h"

static hki_fusion fusion_of(const hki_call *call)
{
    const hk_plugin *norm = hki_plugin_of(hki_fused_of(call->tensor)->norm);
    return hki_fusion_of(call->tensor, call->batch,
                         norm && !call->training && norm->normalization->frozen);
}

static int64_t filters_of(const hki_fused *fused)
{
    return fused->conv ? hki_count(&fused->conv->inputs[1]->shape, 1) : 0;
}

/* All but the result of the step, which a reader that makes it itself does not store. */
static int64_t reads_forward(const hki_call *call)
{
    const hki_fused *fused = hki_fused_of(call->tensor);
    const int64_t x = hki_count(&call->tensor->inputs[0]->shape, call->batch);
    const int64_t y = hki_count(&call->tensor->shape, call->batch);
    return (call->source ? reads_forward(call->source) : x) + filters_of(fused) +
           (fused->add ? y : 0);
}

static int64_t forward(const hki_call *call)
{
    const hki_fusion p = fusion_of(call);
    const int64_t y = p.rows * p.channels;
    const bool anew = p.norm && !p.frozen, reads_z = p.act && p.act->reads & HK_READS_X;
    const bool keeps = p.fused->has_backward && (p.norm || reads_z);
    const bool writes = p.fused->conv && (keeps || anew); /* the convolution's result, beside y */
    return reads_forward(call) + (writes ? y : 0) + (anew ? y : 0) +
           y; /* read again for its moments */
}

/* Of the pass that makes dz and its sums, what is not in the cache where dy is. */
static int64_t beside_dy(const hki_fusion *p)
{
    const int64_t y = p->rows * p->channels;
    const uint32_t reads = p->act ? p->act->reads : 0;
    return (p->norm || reads & HK_READS_X ? y : 0) + (reads & HK_READS_Y ? y : 0);
}

static int64_t backward(const hki_call *call)
{
    const hki_fusion p = fusion_of(call);
    const int64_t y = p.rows * p.channels;
    const int64_t x = hki_count(&call->tensor->inputs[0]->shape, call->batch);
    int64_t n = p.norm && (p.fused->conv || call->dx[0]) ? 3 * y : 0; /* dz, in, din */
    if (!call->begun)
        n += y + beside_dy(&p) + (p.act ? y : 0);
    if (p.fused->add && call->dx[p.fused->residual])
        n += p.act ? 0 : y;
    if (p.fused->conv && call->dx[0])
        n += y + x + filters_of(p.fused);
    if (p.fused->conv && call->dx[1])
        n += y + x + filters_of(p.fused);
    if (call->begins) {
        const hki_fusion maker = fusion_of(call->begins);
        n += beside_dy(&maker);
    }
    return n;
}

int64_t hki_fused_moves(const hki_call *call, bool back)
{
    return back ? backward(call) : forward(call);
}
