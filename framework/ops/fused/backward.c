/* A fused step backward: dz and its sums, what the normalization makes of it, then the convolution. */
#include "ops/fused/fusion.h"

#include <string.h>

#include "engine/kernels.h"

/* dz = f'(z) dy, its sums, the gradient of the residual. */
static void tile_backward(hki_fusion *p, int part, int64_t row, int64_t n)
{
    int64_t c = p->channels, at = row * c;
    float *residual = p->residual ? p->call->dx[p->fused->residual] : NULL;
    const float *dz = p->call->dy + at;
    if (p->act) {
        const hk_plugin *plugin = hki_plugin_of(p->fused->act);
        float *dslots[HK_MAX_SLOTS];
        hki_point_slots(plugin, p->rows, c, p->back.learned + part * p->back.n_learned, dslots);
        hk_tile tile = {
            .rows = n, .first_row = row, .dy = dz, .dx = p->back.dz + at, .dslots = dslots};
        if (p->act->reads & HK_READS_X)
            tile.x = hki_fusion_z(p, row, n, p->in + at, p->tiles + part * hki_tile_rows(c) * c);
        if (p->act->reads & HK_READS_Y)
            tile.y = p->call->y + at;
        hki_backward(plugin)(&p->act_context, &tile);
        dz = tile.dx;
    } else if (residual && residual != p->call->dy) {
        memcpy(residual + at, dz, hki_floats(n * c));
    }
    hki_sums *own = hki_fusion_sums(p, part, row, p->back.sums);
    if (p->norm)
        hki_sums_gradients(own, n, c, p->in + at, hki_fusion_moments(p, row / p->set_rows).mean,
                           dz);
    else if (p->back.dbias)
        hki_sums_columns(own, n, c, dz);
}

static void normalization_gradient(hki_fusion *p, int part, int64_t row, int64_t n)
{
    int64_t at = row * p->channels;
    const float *dz = p->act ? p->back.dz : p->call->dy;
    (void)part;
    hki_kernels_active()->affine_backward(n, p->channels,
                                          p->back.bcoef + row / p->set_rows * 3 * p->channels,
                                          dz + at, p->in + at, p->back.din + at);
}

/* The gradients of the normalization's slots, and what turns dz into din. */
static void find_coefficients(hki_fusion *p)
{
    const hk_plugin *plugin = hki_plugin_of(p->fused->norm);
    float *dslots[HK_MAX_SLOTS];
    hki_clear_slots(p->call, p->fused->norm_slots, plugin, p->rows, p->channels, p->back.unwanted,
                    dslots);
    for (int64_t i = 0; i < p->sets; i++) {
        hk_moments moments = hki_fusion_moments(p, i);
        const double *sum = p->back.sums + i * 2 * p->channels;
        p->norm->gradient(&p->norm_context, hki_fusion_coef(p, i), p->frozen ? NULL : &moments, sum,
                          sum + p->channels, p->back.bcoef + i * 3 * p->channels, dslots);
    }
    if (p->call->whole && p->call->part > 0) /* the first part has those of the whole batch */
        hki_clear_slots(p->call, p->fused->norm_slots, plugin, p->rows, p->channels,
                        p->back.unwanted, dslots);
}

static void begin_sums(hki_fusion *p)
{
    if (p->frozen) { /* sums around 0 */
        memset(p->moments, 0, sizeof(double) * (size_t)p->channels);
        *p->seen = (double)p->rows;
    }
    if (p->back.n_learned)
        memset(p->back.learned, 0, HKI_MAX_CHUNKS * hki_floats(p->back.n_learned));
}

static void end_sums(hki_fusion *p)
{
    if (p->back.dbias || (p->norm && p->sets == 1))
        hki_add_sums(p->parts, p->channels, p->back.sums);
}

void hki_fusion_find_sums(hki_fusion *p)
{
    if (p->call->begun)
        return;
    begin_sums(p);
    hki_fusion_tiles(p, tile_backward);
    end_sums(p);
}

/* The gradients of the convolution. While rows of its data gradient are in the cache they are the dy of the
 * step that made its input, whose sums over them are found there and then. */
static void convolve_back(const hki_call *call)
{
    hki_fusion maker;
    hki_epilogue sums = {.rows = hki_fusion_each_tile, .user = &maker};
    if (!call->begins) {
        hki_conv_backward(call, NULL);
        return;
    }
    hki_fusion_start(&maker, call->begins, true);
    begin_sums(&maker);
    maker.tile = tile_backward;
    hki_conv_backward(call, &sums);
    end_sums(&maker);
}

void hki_fused_backward(const hki_call *call)
{
    hki_fusion p;
    hki_fusion_start(&p, call, true);
    if (call->whole)
        memcpy(p.back.sums, call->whole, 2 * sizeof(double) * (size_t)p.channels);
    else
        hki_fusion_find_sums(&p);
    if (p.act)
        hki_gather_slots(call->dx + p.fused->act_slots, hki_plugin_of(p.fused->act), p.rows,
                         p.channels, p.back.learned,
                         call->begun ? HKI_MAX_PARTS : hki_fusion_parts(&p).count,
                         p.back.n_learned);
    if (p.norm) {
        find_coefficients(&p);
        if (p.back.din)
            hki_fusion_tiles(&p, normalization_gradient);
    }
    if (p.back.dbias)
        for (int64_t i = 0; i < p.channels; i++)
            p.back.dbias[i] = (float)p.back.sums[i];
    if (p.fused->conv) { /* as of a convolution of its own whose dy is din */
        hki_call own = *call;
        own.tensor = p.fused->conv;
        own.dy = p.back.din;
        own.scratch = p.conv.scratch;
        if (p.back.dbias || own.tensor->n_inputs < 3)
            own.dx[2] = NULL;
        convolve_back(&own);
    }
}
