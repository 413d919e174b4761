/* The fused operation. Forward, the convolution hands over its rows while they are in the cache: their moments
 * are taken, or they are finished on the spot. Else one pass over tiles finishes them:
 *     z = A in + B + residual     y = f(z)     in: the convolution's result, or x
 * Backward, one pass over tiles makes dz = f'(z) dy, the residual's gradient too, and its sums; a
 * second makes din = P dz + Q in + R; then come the gradients of the convolution. z is computed
 * again where f' wants it: only `in` and y are kept.
 *
 * Where statistics are those of the whole batch, the pass that finds them is gather(), and the rest waits
 * for what all parts of the batch have found. */
#include "ops/fused/fused.h"

#include <string.h>

#include "engine/engine.h"
#include "engine/kernels.h"

_Static_assert((int)HKI_MAX_PARTS <= (int)HKI_MAX_CHUNKS,
               "each part of a convolution has its own sums");

typedef struct pass pass;
typedef void tile_work(pass *p, int part, int64_t row, int64_t n); /* of one tile */

typedef struct convolution {
    hki_conv shape;
    const float *filters, *bias; /* bias may be NULL */
    const void *packed;          /* what the engine made of the filters; or NULL */
    float *result;
    void *scratch; /* the engine's */
} convolution;

/* Scratch of backward alone. */
typedef struct gradients {
    double *sums;    /* [sets][2][channels] */
    float *bcoef;    /* [sets][3][channels] */
    float *unwanted; /* for the gradients of the normalization's slots that nobody wants */
    float *learned;  /* [HKI_MAX_CHUNKS][n_learned]: gradients of the activation's slots */
    int64_t n_learned;
    float *dz, *din; /* [rows][channels]; without an activation dz is dy */
    float *dbias;    /* of the convolution, where dz is what is summed for it; or NULL */
} gradients;

/* One execution, forward or backward. */
struct pass {
    const hki_call *call;
    const hki_fused *fused;
    int64_t rows, channels;
    bool by_sample;               /* the normalization's statistics are those of one */
    int64_t sets, set_rows;       /* of the normalization; one set of all rows without */
    const hk_normalization *norm; /* NULL: none */
    const hk_activation *act;
    bool frozen; /* statistics of the past: one set, coefficients alone */
    hk_context norm_context, act_context;
    float *norm_slots[HK_MAX_SLOTS], *act_slots[HK_MAX_SLOTS];
    convolution conv;
    const float *in, *residual;
    double *moments;                /* [sets][2][channels], saved */
    double *seen;                   /* rows that the moments of one set are of, saved */
    float *coef;                    /* [sets][n_coef][channels], saved */
    hki_sums parts[HKI_MAX_CHUNKS]; /* scratch */
    float *tiles;                   /* scratch, [HKI_MAX_CHUNKS] of one tile each */
    gradients back;
    tile_work *tile; /* what each_tile() calls */
};

const hki_fused *hki_fused_of(const hk_tensor *tensor)
{
    return tensor->op == &hki_op_fused ? tensor->attributes : NULL;
}

/* ---- Memory ------------------------------------------------------------------------------------------- */

static const hk_plugin *plugin_of(const hk_tensor *recorded)
{
    return recorded ? hki_use_of(recorded)->plugin : NULL;
}

static size_t floats(int64_t count)
{
    return (size_t)count * sizeof(float);
}

static size_t place_saved(pass *p, char *base)
{
    size_t used = 0;
    if (p->norm) {
        p->moments = hki_take(base, &used, 2 * sizeof(double) * (size_t)(p->sets * p->channels));
        p->seen = hki_take(base, &used, sizeof *p->seen);
        p->coef = hki_take(base, &used, floats(p->sets * p->norm->n_coef * p->channels));
    }
    /* The convolution's result, where backward reads it again. */
    if (p->fused->conv && p->fused->has_backward && (p->norm || p->act->reads & HK_READS_X))
        p->conv.result = hki_take(base, &used, floats(p->rows * p->channels));
    return used;
}

static size_t place_scratch(pass *p, char *base, bool back)
{
    size_t used = 0;
    int64_t c = p->channels;
    bool sums_up = back || (p->norm && !p->frozen);
    for (int i = 0; sums_up && i < HKI_MAX_CHUNKS; i++) {
        hki_sums *part = &p->parts[i];
        part->first = hki_take(base, &used, sizeof(double) * (size_t)c);
        part->second = hki_take(base, &used, sizeof(double) * (size_t)c);
        part->tile = hki_take(base, &used, 3 * floats(c));
    }
    if (p->act)
        p->tiles = hki_take(base, &used, HKI_MAX_CHUNKS * floats(hki_tile_rows(c) * c));
    if (back) {
        const hk_plugin *norm = plugin_of(p->fused->norm), *act = plugin_of(p->fused->act);
        int64_t unwanted = norm ? hki_learned_floats(norm, p->rows, c) : 0;
        p->back.sums = hki_take(base, &used, 2 * sizeof(double) * (size_t)(p->sets * c));
        p->back.bcoef = hki_take(base, &used, floats(norm ? 3 * p->sets * c : 0));
        p->back.unwanted = hki_take(base, &used, floats(unwanted));
        p->back.n_learned = act ? hki_learned_floats(act, p->rows, c) : 0;
        p->back.learned = hki_take(base, &used, HKI_MAX_CHUNKS * floats(p->back.n_learned));
        if (!p->fused->spends_dy || p->fused->add)
            p->back.dz = hki_take(base, &used, floats(p->rows * c));
    }
    /* The engine's is the last: its size takes long to find, and here does not matter any more. */
    p->conv.scratch = base ? base + used : NULL;
    if (!base && p->fused->conv)
        used += hki_op_conv2d.scratch_bytes(p->fused->conv, p->conv.shape.n);
    return used;
}

/* Shapes and tables, without the memory. */
static pass pass_of(const hk_tensor *y, int64_t batch, bool frozen)
{
    const hki_fused *fused = y->attributes;
    bool by_sample = fused->norm && hki_domain_of(hki_use_of(fused->norm)) == HK_OVER_SAMPLE;
    pass p = {.fused = fused,
              .rows = hki_rows(&y->shape, batch),
              .channels = hki_channels(&y->shape),
              .by_sample = by_sample,
              .sets = !frozen && by_sample && hki_is_batched(&y->shape) ? batch : 1,
              .norm = fused->norm ? plugin_of(fused->norm)->normalization : NULL,
              .act = fused->act ? plugin_of(fused->act)->activation : NULL,
              .frozen = frozen};
    p.set_rows = p.rows / p.sets;
    if (fused->conv)
        p.conv.shape = hki_conv_of(fused->conv, batch);
    return p;
}

static size_t fused_saved(const hk_tensor *y, int64_t batch)
{
    pass p = pass_of(y, batch, false);
    return place_saved(&p, NULL);
}

static size_t fused_scratch(const hk_tensor *y, int64_t batch)
{
    pass p = pass_of(y, batch, false);
    return place_scratch(&p, NULL, false);
}

static size_t fused_back_scratch(const hk_tensor *y, int64_t batch)
{
    pass p = pass_of(y, batch, false);
    return place_scratch(&p, NULL, true);
}

static void pass_start(pass *p, const hki_call *call, bool back)
{
    const hki_fused *fused = call->tensor->attributes;
    const hk_plugin *norm = plugin_of(fused->norm);
    *p = pass_of(call->tensor, call->batch, norm && !call->training && norm->normalization->frozen);
    p->call = call;
    p->conv.result = call->y;
    place_saved(p, call->saved);
    place_scratch(p, call->scratch, back);
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
}

/* Parts of the rows: whole sets where there are several, so that no set is cut. */
static hki_chunks parts_of(const pass *p)
{
    return hki_chunks_of(p->rows, p->channels,
                         p->sets > 1 ? p->set_rows : hki_tile_rows(p->channels));
}

/* Some rows of a part, tile by tile, each within its set; what a convolution calls for rows that it
 * has finished. */
static void each_tile(void *user, int part, int64_t first, int64_t n)
{
    pass *p = user;
    for (int64_t row = first, next; row < first + n; row = next) {
        int64_t set_end = (row / p->set_rows + 1) * p->set_rows;
        next = hki_min(hki_min(first + n, set_end), row + hki_tile_rows(p->channels));
        p->tile(p, part, row, next - row);
    }
}

static void for_tiles(pass *p, tile_work *work)
{
    hki_chunks parts = parts_of(p);
    p->tile = work;
#pragma omp parallel for num_threads(hki_threads_for((p->rows * p->channels))) schedule(static)
    for (int i = 0; i < parts.count; i++) {
        int64_t first = i * parts.size;
        each_tile(p, i, first, hki_chunk_end(&parts, first) - first);
    }
}

/* ---- Moments ------------------------------------------------------------------------------------------ */

/* The sums that a tile of this row belongs to: its part's, or its set's own. */
static hki_sums *sums_at(pass *p, int part, int64_t row, double *sets)
{
    hki_sums *own = &p->parts[part];
    if (p->sets > 1) {
        own->first = sets + row / p->set_rows * 2 * p->channels;
        own->second = own->first + p->channels;
        own->rows = row % p->set_rows;
    }
    return own;
}

static void take_moments(pass *p, int part, int64_t row, int64_t n)
{
    hki_sums_moments(sums_at(p, part, row, p->moments), n, p->channels, p->in + row * p->channels);
}

static hk_moments moments_of(const pass *p, int64_t set)
{
    const double *mean = p->moments + set * 2 * p->channels;
    return (hk_moments){.rows = p->sets > 1 ? p->set_rows : (int64_t)*p->seen,
                        .mean = mean,
                        .m2 = mean + p->channels};
}

static float *coef_of(const pass *p, int64_t set)
{
    return p->coef + set * p->norm->n_coef * p->channels;
}

/* ---- Forward ------------------------------------------------------------------------------------------ */

/* z of some rows: in place if it is there already, else written to `to`. */
static const float *activated(const pass *p, int64_t row, int64_t n, float *to)
{
    int64_t at = row * p->channels;
    if (!p->norm && !p->residual)
        return p->in + at;
    hki_kernels_active()->affine(n, p->channels, p->norm ? coef_of(p, row / p->set_rows) : NULL,
                                 p->in + at, p->residual ? p->residual + at : NULL, to);
    return to;
}

static void finish(pass *p, int part, int64_t row, int64_t n)
{
    int64_t at = row * p->channels, size = n * p->channels;
    float *y = p->call->y + at;
    float *aside = p->act ? p->tiles + part * hki_tile_rows(p->channels) * p->channels : NULL;
    bool in_place = !p->act || p->act->traits & HK_IN_PLACE;
    const float *z = activated(p, row, n, in_place ? y : aside);
    if (!p->act)
        return;
    if (z == y && !in_place)
        z = memcpy(aside, y, floats(size));
    hk_tile tile = {.rows = n, .first_row = row, .x = z, .y = y};
    hki_forward(plugin_of(p->fused->act))(&p->act_context, &tile);
}

static void convolve(pass *p, tile_work *after)
{
    hki_epilogue epilogue = {.rows = each_tile, .user = p};
    p->tile = after;
    hki_engine_active()->conv_forward(&p->conv.shape, p->call->x[0], p->conv.filters, p->conv.bias,
                                      p->conv.result, p->conv.scratch, p->conv.packed,
                                      after ? &epilogue : NULL);
}

/* The result of the convolution, and its moments. */
static void find_moments(pass *p)
{
    bool one = p->sets == 1;
    if (p->fused->conv)
        convolve(p, one ? take_moments : NULL);
    if (!p->fused->conv || !one)
        for_tiles(p, take_moments);
    if (one)
        hki_merge_moments(p->parts, p->channels, p->moments);
    *p->seen = (double)p->rows;
}

/* Of the whole batch: neither those of the past, nor those of each sample or part. */
static bool gathers_statistics(const hki_call *call)
{
    const hki_fused *fused = hki_fused_of(call->tensor);
    if (!fused->norm || call->own_statistics)
        return false;
    const pass p =
        pass_of(call->tensor, 1, !call->training && plugin_of(fused->norm)->normalization->frozen);
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

/* The coefficients that follow from the moments. */
static void find_forward_coefficients(pass *p)
{
    if (p->call->whole) {
        *p->seen = p->call->whole[0];
        memcpy(p->moments, p->call->whole + 1, 2 * sizeof(double) * (size_t)p->channels);
    }
    for (int64_t i = 0; i < p->sets; i++) {
        hk_moments moments = moments_of(p, i);
        p->norm->coefficients(&p->norm_context, &moments, coef_of(p, i));
    }
    if (p->call->training && p->call->statistics) {
        double *statistics = p->call->statistics;
        statistics[0] = *p->seen;
        memcpy(statistics + 1, p->moments, 2 * sizeof(double) * (size_t)p->channels);
    }
}

static void fused_forward(const hki_call *call)
{
    pass p;
    pass_start(&p, call, false);
    if (call->packed && hki_fused_folds(p.fused)) {
        const hki_folded *f = call->packed;
        p.conv.filters = f->filters;
        p.conv.bias = f->bias;
        p.conv.packed = f->engine;
        p.norm = NULL;
    }
    bool anew = p.norm && !p.frozen;
    if (anew && !call->whole)
        find_moments(&p);
    if (anew)
        find_forward_coefficients(&p);
    else if (p.norm)
        p.norm->frozen(&p.norm_context, p.coef);
    if (p.fused->conv && !anew)
        convolve(&p, p.norm || p.residual || p.act ? finish : NULL);
    else
        for_tiles(&p, finish);
}

/* ---- Backward ----------------------------------------------------------------------------------------- */

/* dz = f'(z) dy, its sums, the gradient of the residual. */
static void tile_backward(pass *p, int part, int64_t row, int64_t n)
{
    int64_t c = p->channels, at = row * c;
    float *residual = p->residual ? p->call->dx[p->fused->residual] : NULL;
    const float *dz = p->call->dy + at;
    if (p->act) {
        const hk_plugin *plugin = plugin_of(p->fused->act);
        float *dslots[HK_MAX_SLOTS];
        hki_point_slots(plugin, p->rows, c, p->back.learned + part * p->back.n_learned, dslots);
        hk_tile tile = {
            .rows = n, .first_row = row, .dy = dz, .dx = p->back.dz + at, .dslots = dslots};
        if (p->act->reads & HK_READS_X)
            tile.x = activated(p, row, n, p->tiles + part * hki_tile_rows(c) * c);
        if (p->act->reads & HK_READS_Y)
            tile.y = p->call->y + at;
        hki_backward(plugin)(&p->act_context, &tile);
        dz = tile.dx;
    } else if (residual && residual != p->call->dy) {
        memcpy(residual + at, dz, floats(n * c));
    }
    hki_sums *own = sums_at(p, part, row, p->back.sums);
    if (p->norm)
        hki_sums_gradients(own, n, c, p->in + at, moments_of(p, row / p->set_rows).mean, dz);
    else if (p->back.dbias)
        hki_sums_columns(own, n, c, dz);
}

static void normalization_gradient(pass *p, int part, int64_t row, int64_t n)
{
    int64_t at = row * p->channels;
    const float *dz = p->act ? p->back.dz : p->call->dy;
    (void)part;
    hki_kernels_active()->affine_backward(n, p->channels,
                                          p->back.bcoef + row / p->set_rows * 3 * p->channels,
                                          dz + at, p->in + at, p->back.din + at);
}

/* The gradients of the normalization's slots, and what turns dz into din. */
static void find_coefficients(pass *p)
{
    const hk_plugin *plugin = plugin_of(p->fused->norm);
    float *dslots[HK_MAX_SLOTS];
    hki_clear_slots(p->call, p->fused->norm_slots, plugin, p->rows, p->channels, p->back.unwanted,
                    dslots);
    for (int64_t i = 0; i < p->sets; i++) {
        hk_moments moments = moments_of(p, i);
        const double *sum = p->back.sums + i * 2 * p->channels;
        p->norm->gradient(&p->norm_context, coef_of(p, i), p->frozen ? NULL : &moments, sum,
                          sum + p->channels, p->back.bcoef + i * 3 * p->channels, dslots);
    }
    if (p->call->whole && p->call->part > 0) /* the first part has those of the whole batch */
        hki_clear_slots(p->call, p->fused->norm_slots, plugin, p->rows, p->channels,
                        p->back.unwanted, dslots);
}

/* Where dz and din are written: straight to where they are wanted, if they are; else over dy; else
 * to the scratch, where p->back.dz points. */
static void direct_gradients(pass *p)
{
    const hki_call *call = p->call;
    float *residual = p->residual ? call->dx[p->fused->residual] : NULL;
    float *free_place = p->back.dz;
    if (p->fused->spends_dy && !residual)
        free_place = (float *)call->dy;
    p->back.din = p->fused->conv ? free_place : call->dx[0];
    p->back.dz = residual ? residual : free_place;
}

/* dz, and its sums over the rows of this call. */
static void find_sums(pass *p)
{
    if (p->frozen) { /* sums around 0 */
        memset(p->moments, 0, sizeof(double) * (size_t)p->channels);
        *p->seen = (double)p->rows;
    }
    if (p->back.n_learned)
        memset(p->back.learned, 0, HKI_MAX_CHUNKS * floats(p->back.n_learned));
    if (!p->norm && p->fused->conv->n_inputs > 2)
        p->back.dbias = p->call->dx[2];
    for_tiles(p, tile_backward);
    if (p->back.dbias || (p->norm && p->sets == 1))
        hki_add_sums(p->parts, p->channels, p->back.sums);
}

static void fused_gather(const hki_call *call, bool back, double *own)
{
    pass p;
    pass_start(&p, call, back);
    if (back) {
        direct_gradients(&p);
        find_sums(&p);
        memcpy(own, p.back.sums, 2 * sizeof(double) * (size_t)p.channels);
    } else {
        find_moments(&p);
        own[0] = *p.seen;
        memcpy(own + 1, p.moments, 2 * sizeof(double) * (size_t)p.channels);
    }
}

static void fused_backward(const hki_call *call)
{
    pass p;
    pass_start(&p, call, true);
    direct_gradients(&p);
    if (call->whole)
        memcpy(p.back.sums, call->whole, 2 * sizeof(double) * (size_t)p.channels);
    else
        find_sums(&p);
    if (p.act)
        hki_gather_slots(call->dx + p.fused->act_slots, plugin_of(p.fused->act), p.rows, p.channels,
                         p.back.learned, parts_of(&p).count, p.back.n_learned);
    if (p.norm) {
        find_coefficients(&p);
        if (p.back.din)
            for_tiles(&p, normalization_gradient);
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
        hki_op_conv2d.backward(&own);
    }
}

/* ---- The operation ------------------------------------------------------------------------------------ */

static hki_operands fused_reads(const hk_tensor *y)
{
    const hki_fused *fused = y->attributes;
    hki_operands reads = fused->conv ? 3 : 1;
    uint32_t act = fused->act ? plugin_of(fused->act)->activation->reads : 0;
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

static hki_operands fused_adds(const hk_tensor *y)
{
    const hki_fused *fused = y->attributes;
    return fused->conv ? hki_op_conv2d.adds(fused->conv) : 0;
}

static size_t fused_statistics(const hk_tensor *y)
{
    const hk_tensor *norm = ((const hki_fused *)y->attributes)->norm;
    bool learns = norm && plugin_of(norm)->normalization->update &&
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
    plugin_of(fused->norm)->normalization->update(&context, &moments, NULL);
    hki_clamp_slots(call);
}

const hki_op hki_op_fused = {.name = "fused",
                             .gathers = fused_gathers,
                             .gather = fused_gather,
                             .join = join_moments,
                             .forward = fused_forward,
                             .backward = fused_backward,
                             .reads = fused_reads,
                             .saved_bytes = fused_saved,
                             .statistics_bytes = fused_statistics,
                             .scratch_bytes = fused_scratch,
                             .back_scratch_bytes = fused_back_scratch,
                             .gradient_in_place = fused_gradient_in_place,
                             .packed_bytes = hki_fused_packed_bytes,
                             .pack = hki_fused_pack,
                             .adds = fused_adds,
                             .commit = fused_commit};
