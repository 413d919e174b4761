/* A fused step forward: the convolution hands over its rows while they are in the cache. */
#include "ops/fused/fusion.h"

#include <string.h>

#include "engine/kernels.h"

static void take_moments(hki_fusion *p, int part, int64_t row, int64_t n)
{
    hki_sums_moments(hki_fusion_sums(p, part, row, p->moments), n, p->channels,
                     p->in + row * p->channels);
}

/* From the rows `in` of the convolution's result to y, which may be the same. */
static void finish_rows(hki_fusion *p, int part, int64_t row, int64_t n, const float *in, float *y)
{
    float *aside = p->act ? p->tiles + part * hki_tile_rows(p->channels) * p->channels : NULL;
    bool in_place = !p->act || p->act->traits & HK_IN_PLACE;
    const float *z = hki_fusion_z(p, row, n, in, in_place ? y : aside);
    if (!p->act)
        return;
    if (z == y && !in_place)
        z = memcpy(aside, y, hki_floats(n * p->channels));
    hk_tile tile = {.rows = n, .first_row = row, .x = z, .y = y};
    hki_forward(hki_plugin_of(p->fused->act))(&p->act_context, &tile);
}

static void finish(hki_fusion *p, int part, int64_t row, int64_t n)
{
    int64_t at = row * p->channels;
    finish_rows(p, part, row, n, p->in + at, p->call->y + at);
}

/* Normalized, where that is done, by statistics of the past, which the filters may hold already. */
static void start_frozen(hki_fusion *p)
{
    if (p->call->packed && hki_fused_folds(p->fused)) {
        const hki_folded *f = p->call->packed;
        p->conv.filters = f->filters;
        p->conv.bias = f->bias;
        p->conv.packed = f->engine;
        p->norm = NULL;
    } else if (p->norm && p->frozen) {
        p->norm->frozen(&p->norm_context, p->coef);
    }
}

/* Lines of what a step computes that is not stored: see hki_prologue. */
static void make_lines(void *user, int part, int64_t first, int64_t lines, float *y)
{
    hki_fusion *p = user;
    const int64_t row = first * p->conv.shape.ow, end = row + lines * p->conv.shape.ow;
    const int64_t most = hki_tile_rows(p->channels);
    hki_engine_active()->depthwise_lines(p->conv.scratch, first, lines, y);
    for (int64_t r = row; r < end; r += most) {
        float *at = y + (r - row) * p->channels;
        finish_rows(p, part, r, hki_min(most, end - r), at, at);
    }
}

static void convolve(hki_fusion *p, hki_fusion_tile *after)
{
    const hki_engine *engine = hki_engine_active();
    hki_epilogue epilogue = {.rows = hki_fusion_each_tile, .user = p};
    hki_fusion source;
    hki_prologue prologue = {.lines = make_lines, .user = &source};
    if (p->call->source) {
        hki_fusion_start(&source, p->call->source, false);
        start_frozen(&source);
        engine->depthwise_prepare(&source.conv.shape, source.call->x[0], source.conv.filters,
                                  source.conv.bias, source.conv.scratch);
    }
    p->tile = after;
    engine->conv_forward(&p->conv.shape, p->call->x[0], p->conv.filters, p->conv.bias,
                         p->conv.result, p->conv.scratch, p->conv.packed,
                         p->call->source ? &prologue : NULL, after ? &epilogue : NULL);
}

void hki_fusion_find_moments(hki_fusion *p)
{
    bool one = p->sets == 1;
    if (p->fused->conv)
        convolve(p, one ? take_moments : NULL);
    if (!p->fused->conv || !one)
        hki_fusion_tiles(p, take_moments);
    if (one)
        hki_merge_moments(p->parts, p->channels, p->moments);
    *p->seen = (double)p->rows;
}

/* The coefficients that follow from the moments. */
static void find_forward_coefficients(hki_fusion *p)
{
    if (p->call->whole) {
        *p->seen = p->call->whole[0];
        memcpy(p->moments, p->call->whole + 1, 2 * sizeof(double) * (size_t)p->channels);
    }
    for (int64_t i = 0; i < p->sets; i++) {
        hk_moments moments = hki_fusion_moments(p, i);
        p->norm->coefficients(&p->norm_context, &moments, hki_fusion_coef(p, i));
    }
    if (p->call->training && p->call->statistics) {
        double *statistics = p->call->statistics;
        statistics[0] = *p->seen;
        memcpy(statistics + 1, p->moments, 2 * sizeof(double) * (size_t)p->channels);
    }
}

void hki_fused_forward(const hki_call *call)
{
    hki_fusion p;
    hki_fusion_start(&p, call, false);
    start_frozen(&p);
    bool anew = p.norm && !p.frozen;
    if (anew && !call->whole)
        hki_fusion_find_moments(&p);
    if (anew)
        find_forward_coefficients(&p);
    if (p.fused->conv && !anew)
        convolve(&p, p.norm || p.residual || p.act ? finish : NULL);
    else
        hki_fusion_tiles(&p, finish);
}
