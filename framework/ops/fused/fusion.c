/* The memory of a fused step, and its rows cut into tiles. */
#include "ops/fused/fusion.h"

#include "engine/kernels.h"

/* ---- Memory ------------------------------------------------------------------------------------------- */

size_t hki_fusion_place_saved(hki_fusion *p, char *base)
{
    size_t used = 0;
    if (p->norm) {
        p->moments = hki_take(base, &used, 2 * sizeof(double) * (size_t)(p->sets * p->channels));
        p->seen = hki_take(base, &used, sizeof *p->seen);
        p->coef = hki_take(base, &used, hki_floats(p->sets * p->norm->n_coef * p->channels));
    }
    /* The convolution's result, where backward reads it again. */
    if (p->fused->conv && p->fused->has_backward && (p->norm || p->act->reads & HK_READS_X))
        p->conv.result = hki_take(base, &used, hki_floats(p->rows * p->channels));
    return used;
}

size_t hki_fusion_place_scratch(hki_fusion *p, char *base, bool back)
{
    size_t used = 0;
    int64_t c = p->channels;
    bool sums_up = back || (p->norm && !p->frozen);
    for (int i = 0; sums_up && i < HKI_MAX_CHUNKS; i++) {
        hki_sums *part = &p->parts[i];
        part->first = hki_take(base, &used, sizeof(double) * (size_t)c);
        part->second = hki_take(base, &used, sizeof(double) * (size_t)c);
        part->tile = hki_take(base, &used, 3 * hki_floats(c));
    }
    if (p->act)
        p->tiles = hki_take(base, &used, HKI_MAX_CHUNKS * hki_floats(hki_tile_rows(c) * c));
    if (back) {
        const hk_plugin *norm = hki_plugin_of(p->fused->norm), *act = hki_plugin_of(p->fused->act);
        int64_t unwanted = norm ? hki_learned_floats(norm, p->rows, c) : 0;
        p->back.sums = hki_take(base, &used, 2 * sizeof(double) * (size_t)(p->sets * c));
        p->back.bcoef = hki_take(base, &used, hki_floats(norm ? 3 * p->sets * c : 0));
        p->back.unwanted = hki_take(base, &used, hki_floats(unwanted));
        p->back.n_learned = act ? hki_learned_floats(act, p->rows, c) : 0;
        p->back.learned = hki_take(base, &used, HKI_MAX_CHUNKS * hki_floats(p->back.n_learned));
        if (!p->fused->spends_dy || p->fused->add)
            p->back.dz = hki_take(base, &used, hki_floats(p->rows * c));
    }
    /* The engine's is the last: its size takes long to find, and here does not matter any more. */
    p->conv.scratch = base ? base + used : NULL;
    if (!base && p->fused->conv)
        used += hki_op_conv2d.scratch_bytes(p->fused->conv, p->conv.shape.n);
    return used;
}

hki_fusion hki_fusion_of(const hk_tensor *y, int64_t batch, bool frozen)
{
    const hki_fused *fused = y->attributes;
    bool by_sample = fused->norm && hki_domain_of(hki_use_of(fused->norm)) == HK_OVER_SAMPLE;
    hki_fusion p = {.fused = fused,
                    .rows = hki_rows(&y->shape, batch),
                    .channels = hki_channels(&y->shape),
                    .by_sample = by_sample,
                    .sets = !frozen && by_sample && hki_is_batched(&y->shape) ? batch : 1,
                    .norm = fused->norm ? hki_plugin_of(fused->norm)->normalization : NULL,
                    .act = fused->act ? hki_plugin_of(fused->act)->activation : NULL,
                    .frozen = frozen};
    p.set_rows = p.rows / p.sets;
    if (fused->conv)
        p.conv.shape = hki_conv_of(fused->conv, batch);
    return p;
}

/* Straight to where they are wanted, if they are; else over dy; else to the scratch, where p->back.dz
 * points. */
static void direct_gradients(hki_fusion *p)
{
    const hki_call *call = p->call;
    float *residual = p->residual ? call->dx[p->fused->residual] : NULL;
    float *free_place = p->back.dz;
    if (p->fused->spends_dy && !residual)
        free_place = (float *)call->dy;
    p->back.din = p->fused->conv ? free_place : call->dx[0];
    p->back.dz = residual ? residual : free_place;
    if (!p->norm && p->fused->conv->n_inputs > 2)
        p->back.dbias = call->dx[2];
}

void hki_fusion_start(hki_fusion *p, const hki_call *call, bool back)
{
    const hki_fused *fused = call->tensor->attributes;
    const hk_plugin *norm = hki_plugin_of(fused->norm);
    *p = hki_fusion_of(call->tensor, call->batch,
                       norm && !call->training && norm->normalization->frozen);
    p->call = call;
    p->conv.result = call->y;
    hki_fusion_place_saved(p, call->saved);
    hki_fusion_place_scratch(p, call->scratch, back);
    p->in = fused->conv ? p->conv.result : call->x[0];
    if (fused->conv) {
        p->conv.filters = call->x[1];
        p->conv.bias = fused->conv->n_inputs > 2 ? call->x[2] : NULL;
        p->conv.packed = call->packed;
    }
    p->residual = fused->add ? call->x[fused->residual] : NULL;
    if (fused->norm)
        p->norm_context = hki_context_of(call, fused->norm, p->norm_slots);
    if (fused->act)
        p->act_context = hki_context_of(call, fused->act, p->act_slots);
    if (back)
        direct_gradients(p);
}

/* ---- Tiles ---------------------------------------------------------------------------------------------- */

hki_chunks hki_fusion_parts(const hki_fusion *p)
{
    return hki_chunks_of(p->rows, p->channels,
                         p->sets > 1 ? p->set_rows : hki_tile_rows(p->channels));
}

void hki_fusion_each_tile(void *user, int part, int64_t first, int64_t n)
{
    hki_fusion *p = user;
    for (int64_t row = first, next; row < first + n; row = next) {
        int64_t set_end = (row / p->set_rows + 1) * p->set_rows;
        next = hki_min(hki_min(first + n, set_end), row + hki_tile_rows(p->channels));
        p->tile(p, part, row, next - row);
    }
}

static void part_task(const void *given, int64_t part)
{
    hki_fusion *p = *(hki_fusion *const *)given;
    hki_chunks parts = hki_fusion_parts(p);
    int64_t first = part * parts.size;
    hki_fusion_each_tile(p, (int)part, first, hki_chunk_end(&parts, first) - first);
}

void hki_fusion_tiles(hki_fusion *p, hki_fusion_tile *work)
{
    p->tile = work;
    hki_each(hki_threads_for(p->rows * p->channels), hki_fusion_parts(p).count, part_task, &p);
}

/* ---- Statistics ----------------------------------------------------------------------------------------- */

hki_sums *hki_fusion_sums(hki_fusion *p, int part, int64_t row, double *sets)
{
    hki_sums *own = &p->parts[part];
    if (p->sets > 1) {
        own->first = sets + row / p->set_rows * 2 * p->channels;
        own->second = own->first + p->channels;
        own->rows = row % p->set_rows;
    }
    return own;
}

hk_moments hki_fusion_moments(const hki_fusion *p, int64_t set)
{
    const double *mean = p->moments + set * 2 * p->channels;
    return (hk_moments){.rows = p->sets > 1 ? p->set_rows : (int64_t)*p->seen,
                        .mean = mean,
                        .m2 = mean + p->channels};
}

float *hki_fusion_coef(const hki_fusion *p, int64_t set)
{
    return p->coef + set * p->norm->n_coef * p->channels;
}

const float *hki_fusion_z(const hki_fusion *p, int64_t row, int64_t n, const float *in, float *to)
{
    if (!p->norm && !p->residual)
        return in;
    hki_kernels_active()->affine(n, p->channels,
                                 p->norm ? hki_fusion_coef(p, row / p->set_rows) : NULL, in,
                                 p->residual ? p->residual + row * p->channels : NULL, to);
    return to;
}
