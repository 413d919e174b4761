/* The fused operation. Forward, the convolution hands over its rows while they are in the cache: their moments
 * are taken, or they are finished on the spot. Else one pass over tiles finishes them:
 *     z = A in + B + residual     y = f(z)     in: the convolution's result, or x
 * Backward, one pass over tiles makes dz = f'(z) dy, the residual's gradient too, and its sums; a
 * second makes din = P dz + Q in + R; then come the gradients of the convolution. z is computed
 * again where f' wants it: only `in` and y are kept. Where the next step's convolution alone reads y, the
 * first of these passes runs over the rows of its data gradient while they are in the cache.
 *
 * Where statistics are those of the whole batch, the pass that finds them is gather(), and the rest waits
 * for what all parts of the batch have found. */
#include "ops/fused/fusion.h"

#include <string.h>

const hki_fused *hki_fused_of(const hk_tensor *tensor)
{
    return tensor->op == &hki_op_fused ? tensor->attributes : NULL;
}

/* ---- Memory ------------------------------------------------------------------------------------------- */

static size_t fused_saved(const hk_tensor *y, int64_t batch)
{
    hki_fusion p = hki_fusion_of(y, batch, false);
    return hki_fusion_place_saved(&p, NULL);
}

static size_t fused_scratch(const hk_tensor *y, int64_t batch)
{
    hki_fusion p = hki_fusion_of(y, batch, false);
    return hki_fusion_place_scratch(&p, NULL, false);
}

static size_t fused_back_scratch(const hk_tensor *y, int64_t batch)
{
    hki_fusion p = hki_fusion_of(y, batch, false);
    return hki_fusion_place_scratch(&p, NULL, true);
}

/* ---- Statistics of the whole batch ------------------------------------------------------------------------ */

/* Of the whole batch: neither those of the past, nor those of each sample or part. */
static bool gathers_statistics(const hki_call *call)
{
    const hki_fused *fused = hki_fused_of(call->tensor);
    if (!fused->norm || call->own_statistics)
        return false;
    const hki_fusion p = hki_fusion_of(
        call->tensor, 1, !call->training && hki_plugin_of(fused->norm)->normalization->frozen);
    return !p.frozen && !p.by_sample;
}

/* Forward: rows, means, m2. Backward: the sums of dz and of dz (in - mean). */
static size_t fused_gathers(const hki_call *call, bool back)
{
    const size_t sums = 2 * (size_t)hki_channels(&call->tensor->shape);
    return gathers_statistics(call) ? sums + !back : 0;
}

static void join_moments(const hk_tensor *y, double *own, const double *later)
{
    const int64_t channels = hki_channels(&y->shape), n = (int64_t)own[0], more = (int64_t)later[0];
    if (!more)
        return;
    own[0] += later[0];
    for (int64_t k = 1; k <= channels; k++)
        hki_join_moments(n, more, &own[k], &own[k + channels], later[k], later[k + channels]);
}

static void fused_gather(const hki_call *call, bool back, double *own)
{
    hki_fusion p;
    hki_fusion_start(&p, call, back);
    if (back) {
        hki_fusion_find_sums(&p);
        memcpy(own, p.back.sums, 2 * sizeof(double) * (size_t)p.channels);
    } else {
        hki_fusion_find_moments(&p);
        own[0] = *p.seen;
        memcpy(own + 1, p.moments, 2 * sizeof(double) * (size_t)p.channels);
    }
}

/* ---- The operation ------------------------------------------------------------------------------------ */

static hki_operands fused_reads(const hk_tensor *y)
{
    const hki_fused *fused = y->attributes;
    hki_operands reads = fused->conv ? 3 : 1;
    uint32_t act = fused->act ? hki_plugin_of(fused->act)->activation->reads : 0;
    if (act & HK_READS_X && fused->add)
        reads |= HKI_INPUT_BIT(fused->residual);
    return reads | (act & HK_READS_Y ? HKI_OUTPUT_BIT : 0);
}

/* The residual's gradient is dz, and dz can be made in place. */
static int fused_gradient_in_place(const hk_tensor *y)
{
    const hki_fused *fused = y->attributes;
    return fused->add && fused->spends_dy ? fused->residual : -1;
}

/* What follows the source's convolution must need no more than the pixel. */
static bool fused_streams(const hk_tensor *y, const hk_tensor *source, int64_t batch)
{
    const hki_fused *fused = y->attributes, *from = hki_fused_of(source);
    if (!fused->conv || !from || !from->conv)
        return false;
    const hki_fusion p = hki_fusion_of(source, batch, true);
    const hki_conv conv = hki_conv_of(fused->conv, batch);
    return (!p.norm || p.norm->frozen) && hki_engine_active()->conv_streams(&conv, &p.conv.shape);
}

/* One that adds writes another gradient, too, which has no place yet; one with sets of its own wants each
 * of them whole. */
static bool fused_begins(const hk_tensor *y, const hk_tensor *source)
{
    const hki_fused *fused = y->attributes, *from = hki_fused_of(source);
    return fused->conv && from && !from->add && !hki_fusion_of(source, 1, false).by_sample;
}

static hki_operands fused_adds(const hk_tensor *y)
{
    const hki_fused *fused = y->attributes;
    return fused->conv ? hki_op_conv2d.adds(fused->conv) : 0;
}

static size_t fused_statistics(const hk_tensor *y)
{
    const hk_tensor *norm = ((const hki_fused *)y->attributes)->norm;
    bool learns = norm && hki_plugin_of(norm)->normalization->update &&
                  hki_domain_of(hki_use_of(norm)) == HK_OVER_BATCH;
    return learns ? (size_t)(1 + 2 * hki_channels(&y->shape)) * sizeof(double) : 0;
}

static void fused_commit(const hki_call *call, double network_activity)
{
    (void)network_activity;
    const hki_fused *fused = call->tensor->attributes;
    const double *statistics = call->statistics;
    float *slots[HK_MAX_SLOTS];
    if (!statistics || statistics[0] == 0)
        return;
    hk_context context = hki_context_of(call, fused->norm, slots);
    hk_moments moments = {.rows = (int64_t)statistics[0],
                          .mean = statistics + 1,
                          .m2 = statistics + 1 + context.channels};
    hki_plugin_of(fused->norm)->normalization->update(&context, &moments, NULL);
    hki_clamp_slots(call);
}

const hki_op hki_op_fused = {.name = "fused",
                             .gathers = fused_gathers,
                             .gather = fused_gather,
                             .join = join_moments,
                             .forward = hki_fused_forward,
                             .backward = hki_fused_backward,
                             .reads = fused_reads,
                             .moves = hki_fused_moves,
                             .saved_bytes = fused_saved,
                             .statistics_bytes = fused_statistics,
                             .scratch_bytes = fused_scratch,
                             .back_scratch_bytes = fused_back_scratch,
                             .gradient_in_place = fused_gradient_in_place,
                             .begins = fused_begins,
                             .streams = fused_streams,
                             .packed_bytes = hki_fused_packed_bytes,
                             .pack = hki_fused_pack,
                             .adds = fused_adds,
                             .commit = fused_commit};
