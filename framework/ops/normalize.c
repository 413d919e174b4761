/* Normalization. Affine plugins: this file takes the moments of each set, the plugin turns them
 * into coefficients, this file applies y = A x + B and, backward, dx = P dy + Q x + R. Others bring
 * kernels of their own: row by row, or for a whole weight.
 *
 * Moments are exact two-pass moments of tiles, merged in double by the formula of Chan, Golub and
 * LeVeque 1979, so that a large mean costs no digits. */
#include "ops/ops.h"

#include <string.h>

hk_domain hki_domain_of(const hki_use *use)
{
    hk_context context = {.params = use->params};
    return use->plugin->normalization->domain(&context);
}

static const hk_normalization *normalization_of(const hk_tensor *y)
{
    return hki_use_of(y)->plugin->normalization;
}

static bool is_affine(const hk_tensor *y)
{
    hk_domain domain = hki_domain_of(hki_use_of(y));
    return domain == HK_OVER_BATCH || domain == HK_OVER_SAMPLE;
}

/* ---- Moments ------------------------------------------------------------------------------------------ */

/* (n, mean, m2) becomes the moments of both sets together. */
static void merge_moments(int64_t channels, int64_t n, double *mean, double *m2, int64_t more,
                          const double *more_mean, const double *more_m2)
{
    double share = (double)more / (double)(n + more), weight = (double)n * share;
    for (int64_t j = 0; j < channels; j++) {
        double delta = more_mean[j] - mean[j];
        mean[j] += delta * share;
        m2[j] += more_m2[j] + delta * delta * weight;
    }
}

/* Moments of one tile: two passes while it is in the cache. sum: channels floats of scratch. */
static void tile_moments(int64_t rows, int64_t channels, const float *x, float *sum, double *mean,
                         double *m2)
{
    float share = 1 / (float)rows;
    memset(sum, 0, (size_t)channels * sizeof *sum);
    for (int64_t r = 0; r < rows; r++)
        for (int64_t j = 0; j < channels; j++)
            sum[j] += x[r * channels + j];
    for (int64_t j = 0; j < channels; j++) {
        sum[j] *= share;
        mean[j] = (double)sum[j];
    }
    /* m2 around the rounded mean, accumulated in float: tiles are short */
    float *square = sum + channels;
    memset(square, 0, (size_t)channels * sizeof *square);
    for (int64_t r = 0; r < rows; r++)
        for (int64_t j = 0; j < channels; j++) {
            float d = x[r * channels + j] - sum[j];
            square[j] += d * d;
        }
    for (int64_t j = 0; j < channels; j++)
        m2[j] = (double)square[j];
}

/* Scratch of one set or chunk: 4 channels of doubles, 2 of floats. */
enum { DOUBLES = 4, FLOATS = 2 };

static size_t part_bytes(int64_t channels)
{
    size_t bytes = (size_t)channels * (DOUBLES * sizeof(double) + FLOATS * sizeof(float));
    return (bytes + 63) / 64 * 64;
}

/* Moments of rows [0, rows) of x into part[0 .. 2 channels). */
static void block_moments(int64_t rows, int64_t channels, const float *x, double *part)
{
    double *mean = part, *m2 = part + channels, *tile_mean = m2 + channels;
    double *tile_m2 = tile_mean + channels;
    float *sum = (float *)(tile_m2 + channels);
    int64_t tile = hki_tile_rows(channels);
    memset(part, 0, 2 * (size_t)channels * sizeof *part);
    for (int64_t r = 0; r < rows; r += tile) {
        int64_t n = r + tile < rows ? tile : rows - r;
        tile_moments(n, channels, x + r * channels, sum, tile_mean, tile_m2);
        merge_moments(channels, r, mean, m2, n, tile_mean, tile_m2);
    }
}

/* Sums of dy and dy (x - mean) over rows, into part[0 .. 2 channels). */
static void block_gradient_sums(int64_t rows, int64_t channels, const float *x, const float *dy,
                                const double *mean, double *part)
{
    double *sum_dy = part, *sum_dyx = part + channels;
    float *a = (float *)(part + DOUBLES * channels), *b = a + channels;
    float *centre = (float *)(part + 2 * channels);
    int64_t tile = hki_tile_rows(channels);
    memset(part, 0, 2 * (size_t)channels * sizeof *part);
    for (int64_t j = 0; j < channels; j++)
        centre[j] = (float)mean[j];
    for (int64_t r = 0; r < rows; r += tile) {
        memset(a, 0, 2 * (size_t)channels * sizeof *a);
        int64_t end = r + tile < rows ? r + tile : rows;
        for (int64_t i = r; i < end; i++)
            for (int64_t j = 0; j < channels; j++) {
                float g = dy[i * channels + j];
                a[j] += g;
                b[j] += g * (x[i * channels + j] - centre[j]);
            }
        for (int64_t j = 0; j < channels; j++) {
            sum_dy[j] += (double)a[j];
            sum_dyx[j] += (double)b[j];
        }
    }
}

/* ---- Affine normalizations ----------------------------------------------------------------------------- */

/* The sets of a run and where what they keep lies: mean and m2 in double, then coefficients. */
typedef struct sets {
    int64_t count, rows, channels;
    int n_coef;
    double *moments; /* [count][2][channels] */
    float *coef;     /* [count][n_coef][channels] */
} sets;

static sets sets_of(const hki_call *call)
{
    const hk_tensor *x = call->tensor->inputs[0];
    int64_t rows = hki_rows(&x->shape, call->batch);
    bool by_sample = hki_domain_of(hki_use_of(call->tensor)) == HK_OVER_SAMPLE;
    sets s = {.count = by_sample && hki_is_batched(&x->shape) ? call->batch : 1,
              .channels = hki_channels(&x->shape),
              .n_coef = (int)normalization_of(call->tensor)->n_coef,
              .moments = call->keep};
    s.rows = rows / s.count;
    s.coef = (float *)(s.moments + s.count * 2 * s.channels);
    return s;
}

static size_t normalize_keep(const hk_tensor *y, int64_t batch)
{
    const hk_normalization *normalization = normalization_of(y);
    int64_t channels = hki_channels(&y->shape);
    if (!is_affine(y))
        return (size_t)hki_rows(&y->shape, batch) * normalization->aux_floats * sizeof(float);
    int64_t count = hki_domain_of(hki_use_of(y)) == HK_OVER_SAMPLE ? batch : 1;
    return (size_t)(count * channels) *
           (2 * sizeof(double) + normalization->n_coef * sizeof(float));
}

static size_t normalize_scratch(const hk_tensor *y, int64_t batch)
{
    if (!is_affine(y))
        return hki_tiles_scratch(y, hki_use_of(y), batch, 0);
    /* A part for each chunk, then a part and three rows of coefficients for each set. */
    size_t channels = (size_t)hki_channels(&y->shape);
    size_t count = hki_domain_of(hki_use_of(y)) == HK_OVER_SAMPLE ? (size_t)batch : 1;
    return (HKI_MAX_CHUNKS + count) * part_bytes((int64_t)channels) +
           count * 3 * channels * sizeof(float);
}

static double *part_at(const hki_call *call, int64_t channels, int64_t i)
{
    return (double *)((char *)call->scratch + (size_t)i * part_bytes(channels));
}

/* One set over all rows: chunks in parallel, merged in order. */
static void batch_moments(const hki_call *call, const sets *s)
{
    int64_t c = s->channels;
    hki_chunks chunks = hki_chunks_of(s->rows, c, hki_tile_rows(c));
#pragma omp parallel for num_threads(hki_threads_for(s->rows * c)) schedule(static)
    for (int i = 0; i < chunks.count; i++) {
        int64_t first = i * chunks.size, end = hki_chunk_end(&chunks, first);
        block_moments(end - first, c, call->x[0] + first * c, part_at(call, c, i));
    }
    memcpy(s->moments, part_at(call, c, 0), 2 * (size_t)c * sizeof(double));
    for (int i = 1; i < chunks.count; i++) {
        int64_t first = i * chunks.size, end = hki_chunk_end(&chunks, first);
        const double *part = part_at(call, c, i);
        merge_moments(c, first, s->moments, s->moments + c, end - first, part, part + c);
    }
}

static void sample_moments(const hki_call *call, const sets *s)
{
    int64_t c = s->channels;
#pragma omp parallel for num_threads(hki_threads_for(s->count * s->rows * c)) schedule(static)
    for (int64_t i = 0; i < s->count; i++) {
        double *part = part_at(call, c, i);
        block_moments(s->rows, c, call->x[0] + i * s->rows * c, part);
        memcpy(s->moments + i * 2 * c, part, 2 * (size_t)c * sizeof(double));
    }
}

static hk_moments moments_of(const sets *s, int64_t set)
{
    const double *mean = s->moments + set * 2 * s->channels;
    return (hk_moments){.rows = s->rows, .mean = mean, .m2 = mean + s->channels};
}

/* Rows of one set: out[j] = k[0][j] a[j] + k[1][j] b[j] + k[2][j], or k[0][j] a[j] + k[1][j] where
 * there is no b. */
static void apply_rows(int64_t rows, int64_t c, const float *k, const float *a, const float *b,
                       float *out)
{
    for (int64_t r = 0; r < rows; r++, a += c, out += c) {
        if (b) {
#pragma omp simd
            for (int64_t j = 0; j < c; j++)
                out[j] = k[j] * a[j] + k[c + j] * b[j] + k[2 * c + j];
            b += c;
        } else {
#pragma omp simd
            for (int64_t j = 0; j < c; j++)
                out[j] = k[j] * a[j] + k[c + j];
        }
    }
}

/* apply_rows over all sets, in tiles that keep within a set. */
static void apply_affine(const sets *s, const float *coef, int64_t coef_stride, const float *a,
                         const float *b, float *out)
{
    int64_t c = s->channels, tile = hki_tile_rows(c), tiles = (s->rows + tile - 1) / tile;
#pragma omp parallel for num_threads(hki_threads_for(s->count * s->rows * c)) schedule(static)
    for (int64_t t = 0; t < s->count * tiles; t++) {
        int64_t set = t / tiles, first = t % tiles * tile, row = (set * s->rows + first) * c;
        apply_rows(first + tile < s->rows ? tile : s->rows - first, c, coef + set * coef_stride,
                   a + row, b ? b + row : NULL, out + row);
    }
}

/* Evaluation with statistics of the past: one set, coefficients alone. */
static bool is_frozen(const hki_call *call)
{
    return !call->training && normalization_of(call->tensor)->frozen;
}

static sets frozen_sets(const hki_call *call)
{
    sets s = sets_of(call);
    s.rows *= s.count;
    s.count = 1;
    return s;
}

static void affine_forward(const hki_call *call)
{
    const hk_normalization *normalization = normalization_of(call->tensor);
    float *slots[HK_MAX_SLOTS];
    hk_context context = hki_context_of(call, hki_use_of(call->tensor), slots);
    sets s = is_frozen(call) ? frozen_sets(call) : sets_of(call);
    if (is_frozen(call)) {
        normalization->frozen(&context, s.coef);
    } else {
        if (s.count == 1)
            batch_moments(call, &s);
        else
            sample_moments(call, &s);
        for (int64_t i = 0; i < s.count; i++) {
            hk_moments moments = moments_of(&s, i);
            normalization->coefficients(&context, &moments, s.coef + i * s.n_coef * s.channels);
        }
    }
    apply_affine(&s, s.coef, s.n_coef * s.channels, call->x[0], NULL, call->y);
    if (call->training && call->record) {
        double *record = call->record;
        record[0] = (double)s.rows;
        memcpy(record + 1, s.moments, 2 * (size_t)s.channels * sizeof(double));
    }
}

/* Sums of one set over all rows, chunks in parallel, into the part after the chunks'. */
static void batch_gradient_sums(const hki_call *call, const sets *s)
{
    int64_t c = s->channels;
    hki_chunks chunks = hki_chunks_of(s->rows, c, hki_tile_rows(c));
#pragma omp parallel for num_threads(hki_threads_for(s->rows * c)) schedule(static)
    for (int i = 0; i < chunks.count; i++) {
        int64_t first = i * chunks.size, end = hki_chunk_end(&chunks, first);
        block_gradient_sums(end - first, c, call->x[0] + first * c, call->dy + first * c,
                            s->moments, part_at(call, c, i));
    }
    double *total = part_at(call, c, HKI_MAX_CHUNKS);
    memset(total, 0, 2 * (size_t)c * sizeof *total);
    for (int i = 0; i < chunks.count; i++)
        for (int64_t j = 0; j < 2 * c; j++)
            total[j] += part_at(call, c, i)[j];
}

static void sample_gradient_sums(const hki_call *call, const sets *s)
{
    int64_t c = s->channels, size = s->rows * c;
#pragma omp parallel for num_threads(hki_threads_for(s->count * size)) schedule(static)
    for (int64_t i = 0; i < s->count; i++)
        block_gradient_sums(s->rows, c, call->x[0] + i * size, call->dy + i * size,
                            s->moments + i * 2 * c, part_at(call, c, HKI_MAX_CHUNKS + i));
}

/* Gradients of learned slots: where wanted into dx, else into the row behind bcoef. */
static void affine_backward(const hki_call *call)
{
    const hki_use *use = hki_use_of(call->tensor);
    const hk_normalization *normalization = use->plugin->normalization;
    float *slots[HK_MAX_SLOTS], *dslots[HK_MAX_SLOTS] = {0};
    hk_context context = hki_context_of(call, use, slots);
    sets s = is_frozen(call) ? frozen_sets(call) : sets_of(call);
    int64_t c = s.channels;
    if (is_frozen(call))
        memset(s.moments, 0, (size_t)c * sizeof *s.moments); /* sums around 0 */
    if (s.count == 1)
        batch_gradient_sums(call, &s);
    else
        sample_gradient_sums(call, &s);

    float *bcoef = (float *)part_at(call, c, HKI_MAX_CHUNKS + s.count);
    for (int i = 0; i < hki_slot_count(use->plugin); i++) {
        const hk_slot *slot = &use->plugin->slots[i];
        if (slot->role != HK_LEARNED)
            continue;
        dslots[i] = call->dx[i + 1] ? call->dx[i + 1] : (float *)call->scratch;
        memset(dslots[i], 0, (size_t)hki_slot_length(slot, context.rows, c) * sizeof(float));
    }
    for (int64_t i = 0; i < s.count; i++) {
        hk_moments moments = moments_of(&s, i);
        const double *sums = part_at(call, c, HKI_MAX_CHUNKS + i);
        normalization->gradient(&context, s.coef + i * s.n_coef * c,
                                is_frozen(call) ? NULL : &moments, sums, sums + c,
                                bcoef + i * 3 * c, dslots);
    }
    if (call->dx[0])
        apply_affine(&s, bcoef, 3 * c, call->dy, call->x[0], call->dx[0]);
}

/* ---- The operation ----------------------------------------------------------------------------------------- */

static hki_block row_block(const hk_tensor *y, hk_block *kernel)
{
    return (hki_block){.kernel = kernel,
                       .reads = HK_READS_X | HK_READS_Y,
                       .aux_floats = (int)normalization_of(y)->aux_floats};
}

static void normalize_forward(const hki_call *call)
{
    const hki_use *use = hki_use_of(call->tensor);
    hki_block block = row_block(call->tensor, hki_forward(use->plugin));
    if (is_affine(call->tensor))
        affine_forward(call);
    else
        hki_tiles_forward(call, use, &block, NULL);
}

static void normalize_backward(const hki_call *call)
{
    const hki_use *use = hki_use_of(call->tensor);
    hki_block block = row_block(call->tensor, hki_backward(use->plugin));
    if (is_affine(call->tensor))
        affine_backward(call);
    else
        hki_tiles_backward(call, use, &block);
}

static uint32_t normalize_reads(const hk_tensor *y)
{
    return is_affine(y) ? 1 : 1 | HKI_READS_OUTPUT;
}

static size_t normalize_record(const hk_tensor *y)
{
    bool learns = normalization_of(y)->update && hki_domain_of(hki_use_of(y)) == HK_OVER_BATCH;
    return learns ? (size_t)(1 + 2 * hki_channels(&y->shape)) * sizeof(double) : 0;
}

static void normalize_commit(const hki_call *call, double network_activity)
{
    (void)network_activity;
    const hki_use *use = hki_use_of(call->tensor);
    const double *record = call->record;
    float *slots[HK_MAX_SLOTS];
    if (!record || record[0] == 0)
        return;
    hk_context context = hki_context_of(call, use, slots);
    hk_moments moments = {.rows = (int64_t)record[0],
                          .mean = record + 1,
                          .m2 = record + 1 + context.channels};
    use->plugin->normalization->update(&context, &moments, NULL);
    hki_clamp_slots(call);
}

const hki_op hki_op_normalize = {.name = "normalization",
                                 .forward = normalize_forward,
                                 .backward = normalize_backward,
                                 .reads = normalize_reads,
                                 .keep_bytes = normalize_keep,
                                 .record_bytes = normalize_record,
                                 .scratch_bytes = normalize_scratch,
                                 .commit = normalize_commit};

static hk_tensor *record_normalization(const hki_op *op, hk_tensor *x, const hki_use *use,
                                       hk_tensor *const *slots)
{
    hk_tensor *inputs[1 + HK_MAX_SLOTS] = {x};
    int n_slots = hki_slot_count(use->plugin);
    memcpy(inputs + 1, slots, (size_t)n_slots * sizeof *slots);
    return hki_compute(op, inputs, 1 + n_slots, x->shape, use, sizeof *use);
}

hk_tensor *hki_normalize(hk_tensor *x, const hki_use *use, hk_tensor *const *slots)
{
    if (!x)
        return NULL;
    if (hki_domain_of(use) == HK_OVER_WEIGHT) {
        hki_fail(HK_BAD_ARGUMENT, "%s normalizes weights: it belongs to a layer's weight_norm",
                 use->plugin->name);
        return NULL;
    }
    if (x->shape.ndim < 2) {
        hki_fail(HK_BAD_SHAPE, "normalization %s: expects [batch, ..., channels], not %s",
                 use->plugin->name, hki_shape_text(&x->shape));
        return NULL;
    }
    return record_normalization(&hki_op_normalize, x, use, slots);
}

/* ---- Normalization of a weight: the plugin sees the whole matrix [fan_in x channels] ------------------------ */

static void weight_forward(const hki_call *call)
{
    const hki_use *use = hki_use_of(call->tensor);
    float *slots[HK_MAX_SLOTS];
    hk_context context = hki_context_of(call, use, slots);
    hk_tile tile = {.rows = context.rows, .x = call->x[0], .y = call->y, .aux = call->keep};
    hki_forward(use->plugin)(&context, &tile);
}

static void weight_backward(const hki_call *call)
{
    const hki_use *use = hki_use_of(call->tensor);
    float *slots[HK_MAX_SLOTS], *dslots[HK_MAX_SLOTS] = {0}, *next = call->scratch;
    hk_context context = hki_context_of(call, use, slots);
    for (int i = 0; i < hki_slot_count(use->plugin); i++) {
        int64_t length = hki_slot_length(&use->plugin->slots[i], context.rows, context.channels);
        if (use->plugin->slots[i].role != HK_LEARNED)
            continue;
        dslots[i] = call->dx[i + 1] ? call->dx[i + 1] : next;
        memset(dslots[i], 0, (size_t)length * sizeof(float));
        next += length;
    }
    hk_tile tile = {.rows = context.rows, .x = call->x[0], .y = call->y, .dy = call->dy,
                    .dx = call->dx[0] ? call->dx[0] : next, .aux = call->keep, .dslots = dslots};
    hki_backward(use->plugin)(&context, &tile);
}

/* Room for gradients that nobody wants. */
static size_t weight_scratch(const hk_tensor *y, int64_t batch)
{
    (void)batch;
    int64_t floats = 0;
    for (int i = 0; i < y->n_inputs; i++)
        floats += hki_count(&y->inputs[i]->shape, 1);
    return (size_t)floats * sizeof(float);
}

static void weight_commit(const hki_call *call, double network_activity)
{
    (void)network_activity;
    const hki_use *use = hki_use_of(call->tensor);
    float *slots[HK_MAX_SLOTS];
    if (!use->plugin->normalization->update)
        return;
    hk_context context = hki_context_of(call, use, slots);
    use->plugin->normalization->update(&context, NULL, call->x[0]);
    hki_clamp_slots(call);
}

static uint32_t weight_reads(const hk_tensor *y)
{
    (void)y;
    return 1 | HKI_READS_OUTPUT;
}

const hki_op hki_op_normalize_weight = {.name = "weight normalization",
                                        .forward = weight_forward,
                                        .backward = weight_backward,
                                        .reads = weight_reads,
                                        .keep_bytes = normalize_keep,
                                        .scratch_bytes = weight_scratch,
                                        .commit = weight_commit};

hk_tensor *hki_normalize_weight(hk_tensor *weight, const hki_use *use, hk_tensor *const *slots)
{
    if (!weight)
        return NULL;
    if (hki_domain_of(use) != HK_OVER_WEIGHT) {
        hki_fail(HK_BAD_ARGUMENT, "%s does not normalize weights", use->plugin->name);
        return NULL;
    }
    return record_normalization(&hki_op_normalize_weight, weight, use, slots);
}
