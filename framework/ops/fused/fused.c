/* The fused operation. Forward, the convolution hands over its rows while they are in the cache: their moments
 * are taken, or they are finished on the spot. Else one pass over tiles finishes them:
 *     z = A in + B + residual     y = f(z)     in: the convolution's result, or x
 * Backward, one pass over tiles makes dz = f'(z) dy, the residual's gradient too, and its sums; a
 * second makes din = P dz + Q in + R; then come the gradients of the convolution. z is computed
 * again where f' wants it: only `in` and y are kept. */
#include "ops/fused/fused.h"

#include <string.h>

#include "engine/engine.h"
#include "engine/kernels.h"

typedef struct job job;
typedef void tile_work(job *j, int part, int64_t row, int64_t n); /* of one tile */

struct job {
    const hki_call *call;
    const hki_fused *fused;
    hki_conv conv;
    const float *filters, *bias; /* of the convolution; bias may be NULL */
    const void *packed;          /* what the engine made of the filters; or NULL */
    int64_t rows, channels;
    int64_t sets, set_rows;       /* of the normalization; one set of all rows without */
    const hk_normalization *norm; /* NULL: none */
    const hk_activation *act;
    bool frozen; /* statistics of the past: one set, coefficients alone */
    hk_context norm_context, act_context;
    float *norm_slots[HK_MAX_SLOTS], *act_slots[HK_MAX_SLOTS];
    float *made; /* by the convolution */
    const float *in, *residual;
    /* Kept. */
    double *moments; /* [sets][2][channels] */
    float *coef;     /* [sets][n_coef][channels] */
    /* Scratch. */
    hki_sums parts[HKI_MAX_CHUNKS];
    float *tiles;     /* [HKI_MAX_CHUNKS] of one tile each */
    double *set_sums; /* [sets][2][channels] */
    float *bcoef;     /* [sets][3][channels] */
    float *unwanted;  /* for the gradients of the normalization's slots that nobody wants */
    float *learned;   /* [HKI_MAX_CHUNKS][n_learned]: gradients of the activation's slots */
    int64_t n_learned;
    float *dz, *din; /* [rows][channels]; without an activation dz is dy */
    float *dbias;    /* of the convolution, where dz is what is summed for it; or NULL */
    void *engine;    /* the convolution's */
    tile_work *tile; /* what each_tile() calls */
};

const hki_fused *hki_fused_of(const hk_tensor *tensor)
{
    return tensor->op == &hki_op_fused ? tensor->attributes : NULL;
}

/* ---- Memory ------------------------------------------------------------------------------------------- */

static int64_t sets_of(const hki_fused *fused, const hk_tensor *y, int64_t batch)
{
    bool by_sample = fused->norm && hki_domain_of(hki_use_of(fused->norm)) == HK_OVER_SAMPLE;
    return by_sample && hki_is_batched(&y->shape) ? batch : 1;
}

static const hk_plugin *plugin_of(const hk_tensor *recorded)
{
    return recorded ? hki_use_of(recorded)->plugin : NULL;
}

/* The convolution's result outlives the step where backward looks at it again. */
static bool keeps_result(const hki_fused *fused)
{
    return fused->conv && fused->has_backward &&
           (fused->norm || plugin_of(fused->act)->activation->reads & HK_READS_X);
}

static size_t floats(int64_t count)
{
    return (size_t)count * sizeof(float);
}

static size_t place_saved(job *j, char *base)
{
    size_t used = 0;
    if (j->norm) {
        j->moments = hki_take(base, &used, 2 * sizeof(double) * (size_t)(j->sets * j->channels));
        j->coef = hki_take(base, &used, floats(j->sets * j->norm->n_coef * j->channels));
    }
    if (keeps_result(j->fused))
        j->made = hki_take(base, &used, floats(j->rows * j->channels));
    return used;
}

/* What backward alone needs. */
static void place_gradients(job *j, char *base, size_t *used)
{
    const hk_plugin *norm = plugin_of(j->fused->norm), *act = plugin_of(j->fused->act);
    int64_t c = j->channels, unwanted = norm ? hki_learned_floats(norm, j->rows, c) : 0;
    j->set_sums = hki_take(base, used, 2 * sizeof(double) * (size_t)(j->sets * c));
    j->bcoef = hki_take(base, used, floats(norm ? 3 * j->sets * c : 0));
    j->unwanted = hki_take(base, used, floats(unwanted));
    j->n_learned = act ? hki_learned_floats(act, j->rows, c) : 0;
    j->learned = hki_take(base, used, HKI_MAX_CHUNKS * floats(j->n_learned));
    if (!j->fused->spends_dy || j->fused->add)
        j->dz = hki_take(base, used, floats(j->rows * c));
}

static size_t place_scratch(job *j, char *base, bool back)
{
    size_t used = 0;
    int64_t c = j->channels;
    bool sums_up = back || (j->norm && !j->frozen);
    for (int i = 0; sums_up && i < HKI_MAX_CHUNKS; i++) {
        hki_sums *part = &j->parts[i];
        part->first = hki_take(base, &used, sizeof(double) * (size_t)c);
        part->second = hki_take(base, &used, sizeof(double) * (size_t)c);
        part->tile = hki_take(base, &used, 3 * floats(c));
    }
    if (j->act)
        j->tiles = hki_take(base, &used, HKI_MAX_CHUNKS * floats(hki_tile_rows(c) * c));
    if (back)
        place_gradients(j, base, &used);
    /* The engine's is the last: its size takes long to find, and here does not matter any more. */
    j->engine = base ? base + used : NULL;
    if (!base && j->fused->conv)
        used += hki_op_conv2d.scratch_bytes(j->fused->conv, j->conv.n);
    return used;
}

/* Shapes and tables, without the memory. */
static job job_for(const hk_tensor *y, int64_t batch, bool frozen)
{
    const hki_fused *fused = y->attributes;
    job j = {.fused = fused,
             .rows = hki_rows(&y->shape, batch),
             .channels = hki_channels(&y->shape),
             .sets = frozen ? 1 : sets_of(fused, y, batch),
             .norm = fused->norm ? plugin_of(fused->norm)->normalization : NULL,
             .act = fused->act ? plugin_of(fused->act)->activation : NULL,
             .frozen = frozen};
    j.set_rows = j.rows / j.sets;
    if (fused->conv)
        j.conv = hki_conv_of(fused->conv, batch);
    return j;
}

static size_t fused_saved(const hk_tensor *y, int64_t batch)
{
    job j = job_for(y, batch, false);
    return place_saved(&j, NULL);
}

static size_t fused_scratch(const hk_tensor *y, int64_t batch)
{
    job j = job_for(y, batch, false);
    return place_scratch(&j, NULL, false);
}

static size_t fused_back_scratch(const hk_tensor *y, int64_t batch)
{
    job j = job_for(y, batch, false);
    return place_scratch(&j, NULL, true);
}

static void job_start(job *j, const hki_call *call, bool back)
{
    const hki_fused *fused = call->tensor->attributes;
    const hk_plugin *norm = plugin_of(fused->norm);
    *j = job_for(call->tensor, call->batch, norm && !call->training && norm->normalization->frozen);
    j->call = call;
    j->made = call->y;
    place_saved(j, call->saved);
    place_scratch(j, call->scratch, back);
    j->in = fused->conv ? j->made : call->x[0];
    if (fused->conv) {
        j->filters = call->x[1];
        j->bias = fused->conv->n_inputs > 2 ? call->x[2] : NULL;
        j->packed = call->packed;
    }
    j->residual = fused->add ? call->x[fused->residual] : NULL;
    if (fused->norm)
        j->norm_context = hki_context_of(call, fused->norm, j->norm_slots);
    if (fused->act)
        j->act_context = hki_context_of(call, fused->act, j->act_slots);
}

/* Parts of the rows: whole sets where there are several, so that no set is cut. */
static hki_chunks parts_of(const job *j)
{
    return hki_chunks_of(j->rows, j->channels,
                         j->sets > 1 ? j->set_rows : hki_tile_rows(j->channels));
}

/* The rows from `row` on that make a tile: they end with their set. */
static int64_t tile_end(const job *j, int64_t row, int64_t end)
{
    int64_t set_end = (row / j->set_rows + 1) * j->set_rows;
    return hki_min(hki_min(end, set_end), row + hki_tile_rows(j->channels));
}

/* Some rows of a part, tile by tile; what a convolution calls for rows that it has finished. */
static void each_tile(void *user, int part, int64_t first, int64_t n)
{
    job *j = user;
    for (int64_t row = first, next; row < first + n; row = next) {
        next = tile_end(j, row, first + n);
        j->tile(j, part, row, next - row);
    }
}

static void for_tiles(job *j, tile_work *work)
{
    hki_chunks parts = parts_of(j);
    j->tile = work;
#pragma omp parallel for num_threads(hki_threads_for((j->rows * j->channels))) schedule(static)
    for (int i = 0; i < parts.count; i++) {
        int64_t first = i * parts.size;
        each_tile(j, i, first, hki_chunk_end(&parts, first) - first);
    }
}

/* ---- Moments ------------------------------------------------------------------------------------------ */

/* The sums that a tile of this row belongs to: its part's, or its set's own. */
static hki_sums *sums_at(job *j, int part, int64_t row, double *sets)
{
    hki_sums *own = &j->parts[part];
    if (j->sets > 1) {
        own->first = sets + row / j->set_rows * 2 * j->channels;
        own->second = own->first + j->channels;
        own->rows = row % j->set_rows;
    }
    return own;
}

static void take_moments(job *j, int part, int64_t row, int64_t n)
{
    hki_sums_moments(sums_at(j, part, row, j->moments), n, j->channels, j->in + row * j->channels);
}

static hk_moments moments_of(const job *j, int64_t set)
{
    const double *mean = j->moments + set * 2 * j->channels;
    return (hk_moments){.rows = j->set_rows, .mean = mean, .m2 = mean + j->channels};
}

static float *coef_of(const job *j, int64_t set)
{
    return j->coef + set * j->norm->n_coef * j->channels;
}

/* ---- Forward ------------------------------------------------------------------------------------------ */

/* z of some rows: in place if it is there already, else written to `to`. */
static const float *activated(const job *j, int64_t row, int64_t n, float *to)
{
    int64_t at = row * j->channels;
    if (!j->norm && !j->residual)
        return j->in + at;
    hki_kernels_active()->affine(n, j->channels, j->norm ? coef_of(j, row / j->set_rows) : NULL,
                                 j->in + at, j->residual ? j->residual + at : NULL, to);
    return to;
}

static void finish(job *j, int part, int64_t row, int64_t n)
{
    int64_t at = row * j->channels, size = n * j->channels;
    float *y = j->call->y + at;
    float *aside = j->act ? j->tiles + part * hki_tile_rows(j->channels) * j->channels : NULL;
    bool in_place = !j->act || j->act->traits & HK_IN_PLACE;
    const float *z = activated(j, row, n, in_place ? y : aside);
    if (!j->act)
        return;
    if (z == y && !in_place)
        z = memcpy(aside, y, floats(size));
    hk_tile tile = {.rows = n, .first_row = row, .x = z, .y = y};
    hki_forward(plugin_of(j->fused->act))(&j->act_context, &tile);
}

static void convolve(job *j, tile_work *after)
{
    hki_epilogue epilogue = {.rows = each_tile, .user = j};
    j->tile = after;
    hki_engine_active()->conv_forward(&j->conv, j->call->x[0], j->filters, j->bias, j->made,
                                      j->engine, j->packed, after ? &epilogue : NULL);
}

/* The result of the convolution, its moments, and the coefficients that follow from them. */
static void normalize_anew(job *j)
{
    bool whole = j->sets == 1;
    if (j->fused->conv)
        convolve(j, whole ? take_moments : NULL);
    if (!j->fused->conv || !whole)
        for_tiles(j, take_moments);
    if (whole)
        hki_merge_moments(j->parts, j->channels, j->moments);
    for (int64_t i = 0; i < j->sets; i++) {
        hk_moments moments = moments_of(j, i);
        j->norm->coefficients(&j->norm_context, &moments, coef_of(j, i));
    }
    if (j->call->training && j->call->statistics) {
        double *statistics = j->call->statistics;
        statistics[0] = (double)j->rows;
        memcpy(statistics + 1, j->moments, 2 * sizeof(double) * (size_t)j->channels);
    }
}

static void use_folded(job *j)
{
    const hki_folded *f = j->call->packed;
    j->filters = f->filters;
    j->bias = f->bias;
    j->packed = f->engine;
    j->norm = NULL;
}

static void fused_forward(const hki_call *call)
{
    job j;
    job_start(&j, call, false);
    if (call->packed && hki_fused_folds(j.fused))
        use_folded(&j);
    bool anew = j.norm && !j.frozen;
    if (anew)
        normalize_anew(&j);
    else if (j.norm)
        j.norm->frozen(&j.norm_context, j.coef);
    if (j.fused->conv && !anew)
        convolve(&j, j.norm || j.residual || j.act ? finish : NULL);
    else
        for_tiles(&j, finish);
}

/* ---- Backward ----------------------------------------------------------------------------------------- */

/* f'(z) dy of some rows. */
static void activation_gradient(const job *j, int part, int64_t row, int64_t n, float *dz)
{
    const hk_plugin *plugin = plugin_of(j->fused->act);
    int64_t c = j->channels, at = row * c;
    float *dslots[HK_MAX_SLOTS];
    hki_point_slots(plugin, j->rows, c, j->learned + part * j->n_learned, dslots);
    hk_tile tile = {
        .rows = n, .first_row = row, .dy = j->call->dy + at, .dx = dz, .dslots = dslots};
    if (j->act->reads & HK_READS_X)
        tile.x = activated(j, row, n, j->tiles + part * hki_tile_rows(c) * c);
    if (j->act->reads & HK_READS_Y)
        tile.y = j->call->y + at;
    hki_backward(plugin)(&j->act_context, &tile);
}

/* dz, its sums, the gradient of the residual. */
static void tile_backward(job *j, int part, int64_t row, int64_t n)
{
    int64_t at = row * j->channels;
    float *residual = j->residual ? j->call->dx[j->fused->residual] : NULL;
    const float *dz = j->call->dy + at;
    if (j->act) {
        activation_gradient(j, part, row, n, j->dz + at);
        dz = j->dz + at;
    } else if (residual && residual != j->call->dy) {
        memcpy(residual + at, dz, floats(n * j->channels));
    }
    hki_sums *own = sums_at(j, part, row, j->set_sums);
    if (j->norm)
        hki_sums_gradients(own, n, j->channels, j->in + at, moments_of(j, row / j->set_rows).mean,
                           dz);
    else if (j->dbias)
        hki_sums_columns(own, n, j->channels, dz);
}

static void normalization_gradient(job *j, int part, int64_t row, int64_t n)
{
    int64_t at = row * j->channels;
    const float *dz = j->act ? j->dz : j->call->dy;
    (void)part;
    hki_kernels_active()->affine_backward(n, j->channels,
                                          j->bcoef + row / j->set_rows * 3 * j->channels, dz + at,
                                          j->in + at, j->din + at);
}

/* The gradients of the normalization's slots, and what turns dz into din. */
static void find_coefficients(job *j)
{
    const hk_plugin *plugin = plugin_of(j->fused->norm);
    float *dslots[HK_MAX_SLOTS];
    hki_clear_slots(j->call, j->fused->norm_slots, plugin, j->rows, j->channels, j->unwanted,
                    dslots);
    for (int64_t i = 0; i < j->sets; i++) {
        hk_moments moments = moments_of(j, i);
        const double *sum = j->set_sums + i * 2 * j->channels;
        j->norm->gradient(&j->norm_context, coef_of(j, i), j->frozen ? NULL : &moments, sum,
                          sum + j->channels, j->bcoef + i * 3 * j->channels, dslots);
    }
}

/* Where dz and din are written: straight to where they are wanted, if they are; else over dy; else
 * to the scratch, where j->dz points. */
static void direct_gradients(job *j)
{
    const hki_call *call = j->call;
    float *residual = j->residual ? call->dx[j->fused->residual] : NULL;
    float *free_place = j->dz;
    if (j->fused->spends_dy && !residual)
        free_place = (float *)call->dy;
    j->din = j->fused->conv ? free_place : call->dx[0];
    j->dz = residual ? residual : free_place;
}

/* As of a convolution of its own whose dy is din; its bias may have been summed already. */
static void convolution_gradients(const job *j)
{
    hki_call own = *j->call;
    own.tensor = j->fused->conv;
    own.dy = j->din;
    own.scratch = j->engine;
    if (j->dbias || own.tensor->n_inputs < 3)
        own.dx[2] = NULL;
    hki_op_conv2d.backward(&own);
}

static void fused_backward(const hki_call *call)
{
    job j;
    job_start(&j, call, true);
    direct_gradients(&j);
    if (j.frozen)
        memset(j.moments, 0, sizeof(double) * (size_t)j.channels); /* sums around 0 */
    if (j.n_learned)
        memset(j.learned, 0, HKI_MAX_CHUNKS * floats(j.n_learned));
    if (!j.norm && j.fused->conv->n_inputs > 2)
        j.dbias = call->dx[2];
    for_tiles(&j, tile_backward);
    if (j.act)
        hki_gather_slots(call, j.fused->act_slots, plugin_of(j.fused->act), j.rows, j.channels,
                         j.learned, parts_of(&j).count, j.n_learned);
    if (j.norm) {
        if (j.sets == 1)
            hki_add_sums(j.parts, j.channels, j.set_sums);
        find_coefficients(&j);
        if (j.din)
            for_tiles(&j, normalization_gradient);
    }
    if (j.dbias) {
        hki_add_sums(j.parts, j.channels, j.set_sums);
        for (int64_t i = 0; i < j.channels; i++)
            j.dbias[i] = (float)j.set_sums[i];
    }
    if (j.fused->conv)
        convolution_gradients(&j);
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
