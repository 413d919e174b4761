/* What the units of a net do, as defined in docs/dead-neurons.md.
 *
 * A layer is measured right after it was computed, a tile of rows at a time: its extremes and
 * counts, its moments, and its slopes, which are what backward makes of ones. A tile's sums are
 * floats; those of a chunk of tiles, and of the layer, are doubles that join in order: so the bits
 * do not depend on the threads. */
#include "train/probe.h"

#include <math.h>
#include <string.h>

#include "data/data.h"
#include "engine/kernels.h"
#include "nn/nn.h"
#include "train/learning.h"

static const float asymptote_distance = 0.05f;
static const double slope_threshold = 1e-3, dormant_score = 0.025;

/* One activation. */
typedef struct layer {
    const hk_tensor *tensor;
    int64_t c_in, c_out;
    int n_parts;     /* 2: a channel override */
    bool has_slope;  /* elementwise */
    float low, high; /* outputs below or above are saturated; infinite where nothing is */
    int64_t rows;    /* so far */
    hki_unit *units; /* [c_out] sums */
    double first_bin, last_bin;      /* their outer edges: the range of the first run */
    int64_t bins[HK_HISTOGRAM_BINS]; /* of the first run */
} layer;

/* Sizes that are enough for each layer. */
typedef struct sizes {
    int64_t units, columns, tile, learned; /* of a thread's scratch; all but units in floats */
    int64_t sums;                          /* units of all chunks */
} sizes;

struct hki_probe {
    hk_plan *plan;
    layer *layers;
    int n_layers;
    sizes max;
    float *ones;                                     /* a tile */
    hki_unit *sums;                                  /* [chunks][c_out] of the layer at hand */
    int64_t bins[HKI_MAX_CHUNKS][HK_HISTOGRAM_BINS]; /* of its chunks */
    hki_unit *scratch_units;                         /* of all threads */
    float *scratch;
};

/* ---- Layers --------------------------------------------------------------------------- */

/* Finite limits on both sides: bounded, with asymptotes there. */
static void find_asymptotes(layer *w)
{
    const hki_use *use = hki_use_of(w->tensor);
    double slots[HK_MAX_SLOTS] = {0}, values[4];
    hk_scalar64 at = {.p = use->params, .t = slots};
    w->low = -INFINITY;
    w->high = INFINITY;
    if (!use->plugin->activation->value)
        return;
    for (int i = 0; i < hki_slot_count(use->plugin); i++)
        slots[i] = use->plugin->slots[i].value;
    for (int i = 0; i < 4; i++) {
        static const double far[4] = {-1e4, -1e3, 1e3, 1e4};
        at.x = far[i];
        values[i] = use->plugin->activation->value(&at);
    }
    if (fabs(values[0] - values[1]) < 1e-2 && fabs(values[3] - values[2]) < 1e-2 &&
        fabs(values[0] - values[3]) > 0) {
        w->low = (float)fmin(values[0], values[3]) + asymptote_distance;
        w->high = (float)fmax(values[0], values[3]) - asymptote_distance;
    }
}

/* Larger than the tiles of training: what is done once a tile is done less often. */
static int64_t tile_rows(const layer *w)
{
    return 4 * hki_tile_rows(hki_max(w->c_in, w->c_out));
}

/* What computes the layer: part 1, if there is one, in the channels that were swapped. */
static const hki_use *part_of(const layer *w, int i)
{
    return hki_use_of(hki_override_part(w->tensor, i));
}

static hk_status open_layer(layer *w, const hk_tensor *t)
{
    w->tensor = t;
    w->n_parts = hki_is_channel_override(t) ? 2 : 1;
    w->c_in = hki_channels(&t->inputs[0]->shape);
    w->c_out = hki_channels(&t->shape);
    w->has_slope = w->c_in == w->c_out && !(hki_use_of(t)->plugin->activation->traits & HK_ROWWISE);
    find_asymptotes(w);
    w->units = hki_alloc_array((size_t)w->c_out, sizeof *w->units);
    return w->units ? HK_OK : HK_NO_MEMORY;
}

/* ---- A tile ------------------------------------------------------------------------------------ */

/* One run of one layer: what all its tiles have in common. */
typedef struct run {
    hki_probe *probe;
    layer *layer;
    const hki_call *call;
    hk_context contexts[2]; /* of the parts */
    float *slots[2][HK_MAX_SLOTS];
    hki_chunks chunks;
} run;

/* A thread's memory for a tile. */
typedef struct scratch {
    hki_unit *units; /* [c_out] sums */
    hki_unit_scratch rows;
    float *dx, *dslots; /* the tile; gradients that nobody reads */
} scratch;

static int64_t scratch_floats(const sizes *max)
{
    return HKI_UNIT_ARRAYS * max->columns + max->tile + max->learned;
}

/* What backward makes of ones, by part i of a mix. */
static void measure_slopes(const run *l, int i, hk_tile tile, const scratch *own)
{
    const layer *w = l->layer;
    const hk_plugin *plugin = part_of(w, i)->plugin;
    const float *mask = i ? hki_override_mask(w->tensor)->value : NULL;
    float *dslots[HK_MAX_SLOTS];
    hki_point_slots(plugin, tile.rows, w->c_in, own->dslots, dslots);
    tile.dy = l->probe->ones;
    tile.dx = own->dx;
    tile.dslots = dslots;
    int64_t aux = plugin->activation->aux_floats; /* saved by forward, part 0 first */
    int64_t before = i ? part_of(w, 0)->plugin->activation->aux_floats * l->contexts[0].rows : 0;
    if (aux)
        tile.aux = (float *)l->call->saved + before + tile.first_row * aux;
    if (!(plugin->activation->reads & HK_READS_X))
        tile.x = NULL;
    hki_backward(plugin)(&l->contexts[i], &tile);
    hki_units_add_slopes(own->units, tile.rows, w->c_in, own->dx, mask, &own->rows);
}

static void measure_chunk(const run *l, int chunk)
{
    const layer *w = l->layer;
    const sizes *max = &l->probe->max;
    const int64_t thread = hki_team_member();
    float *floats = l->probe->scratch + thread * scratch_floats(max);
    scratch own = {.units = l->probe->scratch_units + thread * max->units,
                   .rows = hki_unit_scratch_in(floats, max->columns),
                   .dx = floats + HKI_UNIT_ARRAYS * max->columns};
    own.dslots = own.dx + max->tile;
    hki_unit *sums = l->probe->sums + chunk * w->c_out;
    int64_t first = chunk * l->chunks.size, end = hki_chunk_end(&l->chunks, first);
    hki_units_clear(sums, w->c_out);
    for (int64_t row = first; row < end; row += tile_rows(w)) {
        hk_tile tile = {.rows = hki_min(tile_rows(w), end - row),
                        .first_row = row,
                        .x = l->call->x[0] + row * w->c_in,
                        .y = l->call->y + row * w->c_out};
        hki_units_from_outputs(own.units, tile.rows, w->c_out, tile.y, w->low, w->high, &own.rows);
        if (w->c_in == w->c_out)
            hki_units_add_inputs(own.units, tile.rows, w->c_in, tile.x, &own.rows);
        for (int i = 0; i < w->n_parts && w->has_slope; i++)
            measure_slopes(l, i, tile, &own);
        for (int64_t j = 0; j < w->c_out; j++)
            hki_unit_merge(&sums[j], (double)(row - first), &own.units[j], (double)tile.rows);
    }
}

/* ---- The histogram ------------------------------------------------------------------------------- */

static void find_bins(int n, const float *restrict v, float low, float bins_per_unit,
                      int *restrict bins)
{
    const float last = HK_HISTOGRAM_BINS - 1;
    for (int i = 0; i < n; i++) {
        float bin = (v[i] - low) * bins_per_unit;
        bin = bin > 0 ? bin : 0; /* NAN, too */
        bins[i] = (int)(bin < last ? bin : last);
    }
}

/* Four tables, so that equal numbers in a row need not wait for each other. */
static void count_chunk(const run *l, int chunk)
{
    const layer *w = l->layer;
    const double range = w->last_bin - w->first_bin;
    const float low = (float)w->first_bin;
    const float bins_per_unit = range > 0 ? (float)(HK_HISTOGRAM_BINS / range) : 0;
    int64_t first = chunk * l->chunks.size, end = hki_chunk_end(&l->chunks, first) * w->c_out;
    int64_t tables[4][HK_HISTOGRAM_BINS] = {{0}};
    int bins[512];
    for (int64_t i = first * w->c_out; i < end; i += 512) {
        int n = (int)hki_min(512, end - i);
        find_bins(n, l->call->y + i, low, bins_per_unit, bins);
        for (int k = 0; k < n; k++)
            tables[k & 3][bins[k]]++;
    }
    for (int b = 0; b < HK_HISTOGRAM_BINS; b++)
        l->probe->bins[chunk][b] = tables[0][b] + tables[1][b] + tables[2][b] + tables[3][b];
}

/* Bins over the range of the outputs so far. */
static void make_histogram(run *l, int threads)
{
    layer *w = l->layer;
    w->first_bin = (double)INFINITY;
    w->last_bin = -w->first_bin;
    for (int64_t j = 0; j < w->c_out; j++) {
        w->first_bin = fmin(w->first_bin, w->units[j].min);
        w->last_bin = fmax(w->last_bin, w->units[j].max);
    }
#pragma omp parallel for num_threads(threads) schedule(static)
    for (int c = 0; c < l->chunks.count; c++)
        count_chunk(l, c);
    for (int c = 0; c < l->chunks.count; c++)
        for (int b = 0; b < HK_HISTOGRAM_BINS; b++)
            w->bins[b] += l->probe->bins[c][b];
}

/* ---- A run ------------------------------------------------------------------------------------- */

static void measure_layer(hki_probe *probe, layer *w, const hki_call *call)
{
    run l = {.probe = probe, .layer = w, .call = call};
    for (int i = 0; i < w->n_parts; i++)
        l.contexts[i] = hki_context_of(call, hki_override_part(w->tensor, i), l.slots[i]);
    l.chunks = hki_chunks_of(l.contexts[0].rows, w->c_in, tile_rows(w));
    int threads = hki_team(l.chunks.count, l.contexts[0].rows * w->c_in);
    bool is_first = !w->rows;
#pragma omp parallel for num_threads(threads) schedule(static)
    for (int c = 0; c < l.chunks.count; c++)
        measure_chunk(&l, c);
    for (int c = 0; c < l.chunks.count; c++) {
        const hki_unit *sums = probe->sums + c * w->c_out;
        int64_t first = c * l.chunks.size, rows = hki_chunk_end(&l.chunks, first) - first;
        for (int64_t j = 0; j < w->c_out; j++)
            hki_unit_merge(&w->units[j], (double)w->rows, &sums[j], (double)rows);
        w->rows += rows;
    }
    if (is_first)
        make_histogram(&l, threads);
}

static void watch(void *user, const hki_call *call, bool back, double seconds)
{
    hki_probe *probe = user;
    (void)seconds;
    for (int i = 0; i < probe->n_layers && !back; i++)
        if (probe->layers[i].tensor == call->tensor)
            measure_layer(probe, &probe->layers[i], call);
}

/* ---- The probe ----------------------------------------------------------------------------------- */

/* Grows to a number of floats that fill cache lines. */
static void grow(int64_t *max, int64_t floats)
{
    *max = hki_max(*max, (floats + 15) / 16 * 16);
}

static hk_status allocate(hki_probe *probe)
{
    sizes *max = &probe->max;
    for (int l = 0; l < probe->n_layers; l++) {
        const layer *w = &probe->layers[l];
        int64_t rows = hki_rows(&w->tensor->inputs[0]->shape, probe->plan->batch), learned = 0;
        for (int i = 0; i < w->n_parts; i++)
            learned += hki_learned_floats(part_of(w, i)->plugin, tile_rows(w), w->c_in);
        grow(&max->columns, hki_unit_columns(w->c_in));
        grow(&max->columns, hki_unit_columns(w->c_out));
        grow(&max->tile, tile_rows(w) * w->c_in);
        grow(&max->learned, learned);
        max->units = hki_max(max->units, w->c_out);
        max->sums = hki_max(max->sums, hki_chunks_most(rows, w->c_in, tile_rows(w)) * w->c_out);
    }
    probe->sums = hki_alloc_array((size_t)max->sums, sizeof *probe->sums);
    probe->scratch_units = hki_alloc_array((size_t)(HKI_TEAM * max->units), sizeof(hki_unit));
    probe->scratch = hki_alloc_array((size_t)(HKI_TEAM * scratch_floats(max)), sizeof(float));
    probe->ones = hki_alloc_array((size_t)max->tile, sizeof *probe->ones);
    if (!probe->sums || !probe->scratch_units || !probe->scratch || !probe->ones)
        return HK_NO_MEMORY;
    for (int64_t i = 0; i < max->tile; i++)
        probe->ones[i] = 1;
    return HK_OK;
}

static void clear(hki_probe *probe)
{
    for (int i = 0; i < probe->n_layers; i++) {
        layer *w = &probe->layers[i];
        w->rows = 0;
        hki_units_clear(w->units, w->c_out);
        memset(w->bins, 0, sizeof w->bins);
    }
}

hk_status hki_probe_new(hk_plan *plan, hki_probe **out)
{
    hki_probe *probe = hki_alloc(sizeof *probe);
    *out = probe;
    if (!probe)
        return HK_NO_MEMORY;
    probe->plan = plan;
    probe->layers = hki_alloc_array((size_t)plan->n_steps, sizeof *probe->layers);
    hk_status status = probe->layers ? HK_OK : HK_NO_MEMORY;
    for (int s = 0; s < plan->n_steps && !status; s++)
        if (hki_is_activation(plan->steps[s].call.tensor))
            status = open_layer(&probe->layers[probe->n_layers++], plan->steps[s].call.tensor);
    if (!status)
        status = allocate(probe);
    if (status) {
        hki_probe_free(probe);
        *out = NULL;
        return status;
    }
    clear(probe);
    hki_plan_watch(plan, watch, probe);
    return HK_OK;
}

void hki_probe_free(hki_probe *probe)
{
    if (!probe)
        return;
    for (int i = 0; i < probe->n_layers; i++)
        hki_free(probe->layers[i].units);
    hki_free(probe->layers);
    hki_free(probe->ones);
    hki_free(probe->sums);
    hki_free(probe->scratch_units);
    hki_free(probe->scratch);
    hki_free(probe);
}

hk_status hki_probe_run(hki_probe *probe, const hk_tensor *input, const hk_data *data, int64_t n)
{
    float *x = hk_plan_value(probe->plan, input);
    hk_status status = HK_OK;
    clear(probe);
    for (int64_t done = 0, now; done < n && !status; done += now) {
        now = hki_next_batch(n - done, probe->plan->batch);
        hki_spread_images(data, done, now, x);
        status = hk_plan_forward(probe->plan, now);
    }
    return status;
}

int hki_probe_layers(const hki_probe *probe)
{
    return probe->n_layers;
}

const hk_tensor *hki_probe_tensor(const hki_probe *probe, int i)
{
    return probe->layers[i].tensor;
}

/* ---- Statistics ------------------------------------------------------------------------------------- */

void hki_probe_unit(const hki_probe *probe, int i, int64_t unit, hki_unit *out)
{
    const layer *w = &probe->layers[i];
    const double n = (double)hki_max(w->rows, 1), none = (double)NAN;
    *out = w->units[unit];
    out->variance /= n;
    out->mean_abs /= n;
    out->zeros /= n;
    out->saturated /= n;
    out->x_variance /= n;
    if (!w->has_slope)
        out->slope = none;
    if (w->c_in != w->c_out)
        out->x_max = out->x_min = out->x_mean = out->x_variance = none;
}

double hki_probe_mean_abs(const hki_probe *probe, int i)
{
    const layer *w = &probe->layers[i];
    double mean_abs = 0;
    for (int64_t j = 0; j < w->c_out; j++)
        mean_abs += w->units[j].mean_abs / (double)hki_max(w->rows, 1) / (double)w->c_out;
    return mean_abs;
}

void hki_probe_report(const hki_probe *probe, int i, hk_layer_report *out)
{
    const layer *w = &probe->layers[i];
    const char *name = hki_layer_name(w->tensor->net, w->tensor->layer);
    const double mean_abs = hki_probe_mean_abs(probe, i), n = (double)w->c_out;
    double never_positive = 0, gradient_dead = 0, dormant = 0, m2 = 0;
    hki_unit unit;
    *out = (hk_layer_report){.units = w->c_out, .low = w->first_bin, .high = w->last_bin};
    memcpy(out->layer, name, strlen(name) + 1);
    memcpy(out->histogram, w->bins, sizeof w->bins);
    for (int64_t j = 0; j < w->c_out; j++) {
        hki_probe_unit(probe, i, j, &unit);
        never_positive += unit.max <= 0;
        gradient_dead += unit.slope < slope_threshold;
        out->saturated += unit.saturated / n;
        dormant += unit.mean_abs <= dormant_score * mean_abs;
        hki_moments_merge(&out->mean, &m2, (double)j, unit.mean, unit.variance, 1);
    }
    out->never_positive = never_positive / n;
    out->gradient_dead = w->has_slope ? gradient_dead / n : (double)NAN;
    out->dormant = dormant / n;
    out->variance = m2 / n;
}
