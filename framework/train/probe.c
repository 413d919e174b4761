/* What the units of a net do, as defined in docs/dead-neurons.md.
 *
 * A layer is looked at right after it was computed, a tile of rows at a time: its extremes and
 * counts, its moments, and its slopes, which are what backward makes of ones. A tile's sums are
 * floats; those of a chunk of tiles, and of the layer, are doubles that join in order: so the bits
 * do not depend on the threads. */
#include "train/probe.h"

#include <math.h>
#include <string.h>

#include "data/data.h"
#include "engine/kernels.h"
#include "nn/nn.h"

static const float asymptote_distance = 0.05f;
static const double slope_threshold = 1e-3, dormant_score = 0.025;

/* What is known of one activation. */
typedef struct watched {
    const hk_tensor *tensor;
    int64_t c_in, c_out;
    int n_parts;     /* 2: a mix of two activations */
    bool has_slope;  /* elementwise */
    float low, high; /* outputs below or above are saturated; infinite where nothing is */
    int64_t rows;    /* seen */
    hki_unit *units; /* [c_out] sums */
    double first_bin, last_bin;      /* their outer edges: the range of the first run */
    int64_t bins[HK_HISTOGRAM_BINS]; /* of the first run */
} watched;

/* Where a thread looks at a tile. */
typedef struct bench {
    hki_unit *units; /* [c_out] sums */
    hki_unit_room room;
    float *dx, *dslots; /* the tile; gradients that nobody reads */
} bench;

/* Numbers that are enough for each layer. */
typedef struct sizes {
    int64_t units, columns, tile, learned; /* of a bench; all but units in floats */
    int64_t sums;                          /* units of all chunks */
} sizes;

struct hki_probe {
    hk_plan *plan;
    watched *layers;
    int n_layers;
    sizes most;
    float *ones;                                     /* a tile */
    hki_unit *sums;                                  /* [chunks][c_out] of the layer at hand */
    int64_t bins[HKI_MAX_CHUNKS][HK_HISTOGRAM_BINS]; /* of its chunks */
    hki_unit *bench_units;                           /* of all threads */
    float *bench_floats;
};

/* ---- Layers and memory --------------------------------------------------------------------------- */

/* Finite limits on both sides: bounded, with asymptotes there. */
static void find_asymptotes(watched *w)
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
static int64_t tile_rows(const watched *w)
{
    return 4 * hki_tile_rows(hki_max(w->c_in, w->c_out));
}

/* What computes the layer: part 1, if there is one, in the channels that were swapped. */
static const hki_use *part_of(const watched *w, int i)
{
    return hki_use_of(hki_mix_part(w->tensor, i));
}

static hk_status watch_layer(watched *w, const hk_tensor *t)
{
    w->tensor = t;
    w->n_parts = hki_is_mix(t) ? 2 : 1;
    w->c_in = hki_channels(&t->inputs[0]->shape);
    w->c_out = hki_channels(&t->shape);
    w->has_slope = w->c_in == w->c_out && !(hki_use_of(t)->plugin->activation->traits & HK_ROWWISE);
    find_asymptotes(w);
    w->units = hki_alloc_array((size_t)w->c_out, sizeof *w->units);
    return w->units ? HK_OK : HK_NO_MEMORY;
}

/* ---- Looking at a tile --------------------------------------------------------------------------- */

/* A look at one layer: what all its tiles have in common. */
typedef struct look {
    hki_probe *probe;
    watched *layer;
    const hki_call *call;
    hk_context contexts[2]; /* of the parts */
    float *slots[2][HK_MAX_SLOTS];
    hki_chunks chunks;
} look;

static hki_unit *sums_of(const look *l, int chunk)
{
    return l->probe->sums + chunk * l->layer->c_out;
}

static int64_t bench_floats(const sizes *most)
{
    return HKI_UNIT_ARRAYS * most->columns + most->tile + most->learned;
}

static bench own_bench(const hki_probe *probe)
{
    const sizes *most = &probe->most;
    int64_t member = hki_team_member();
    float *floats = probe->bench_floats + member * bench_floats(most);
    float *dx = floats + HKI_UNIT_ARRAYS * most->columns;
    return (bench){.units = probe->bench_units + member * most->units,
                   .room = hki_unit_room_of(floats, most->columns),
                   .dx = dx,
                   .dslots = dx + most->tile};
}

/* What part i kept of the rows from this one on. */
static float *kept_by(const look *l, int i, int64_t row)
{
    const watched *w = l->layer;
    int64_t before = i ? part_of(w, 0)->plugin->activation->aux_floats * l->contexts[0].rows : 0;
    int64_t aux = part_of(w, i)->plugin->activation->aux_floats;
    return aux ? (float *)l->call->keep + before + row * aux : NULL;
}

static void look_at_slopes(const look *l, int i, hk_tile tile, const bench *at)
{
    const watched *w = l->layer;
    const hk_plugin *plugin = part_of(w, i)->plugin;
    const float *swapped = i ? hki_mix_swapped(w->tensor)->value : NULL;
    float *dslots[HK_MAX_SLOTS];
    hki_point_slots(plugin, tile.rows, w->c_in, at->dslots, dslots);
    tile.dy = l->probe->ones;
    tile.dx = at->dx;
    tile.dslots = dslots;
    tile.aux = kept_by(l, i, tile.first_row);
    if (!(plugin->activation->reads & HK_READS_X))
        tile.x = NULL;
    hki_backward(plugin)(&l->contexts[i], &tile);
    hki_units_see_slopes(at->units, tile.rows, w->c_in, at->dx, swapped, &at->room);
}

static hk_tile tile_at(const look *l, int64_t row, int64_t end)
{
    const watched *w = l->layer;
    return (hk_tile){.rows = hki_min(tile_rows(w), end - row),
                     .first_row = row,
                     .x = l->call->x[0] + row * w->c_in,
                     .y = l->call->y + row * w->c_out};
}

static void look_at_chunk(const look *l, int chunk)
{
    const watched *w = l->layer;
    hki_unit *sums = sums_of(l, chunk);
    bench at = own_bench(l->probe);
    int64_t first = chunk * l->chunks.size, end = hki_chunk_end(&l->chunks, first);
    hki_units_forget(sums, w->c_out);
    for (int64_t row = first; row < end; row += tile_rows(w)) {
        hk_tile tile = tile_at(l, row, end);
        hki_units_of_outputs(at.units, tile.rows, w->c_out, tile.y, w->low, w->high, &at.room);
        if (w->c_in == w->c_out)
            hki_units_see_inputs(at.units, tile.rows, w->c_in, tile.x, &at.room);
        for (int i = 0; i < w->n_parts && w->has_slope; i++)
            look_at_slopes(l, i, tile, &at);
        for (int64_t j = 0; j < w->c_out; j++)
            hki_unit_join(&sums[j], (double)(row - first), &at.units[j], (double)tile.rows);
    }
}

/* ---- The histogram ------------------------------------------------------------------------------- */

static void place_bins(watched *w)
{
    w->first_bin = (double)INFINITY;
    w->last_bin = -w->first_bin;
    for (int64_t j = 0; j < w->c_out; j++) {
        w->first_bin = fmin(w->first_bin, w->units[j].least);
        w->last_bin = fmax(w->last_bin, w->units[j].most);
    }
}

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
static void count_chunk(const look *l, int chunk)
{
    const watched *w = l->layer;
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

/* ---- Looking at a run ---------------------------------------------------------------------------- */

static void gather_units(const look *l)
{
    watched *w = l->layer;
    int64_t seen = w->rows;
    for (int c = 0; c < l->chunks.count; c++) {
        const hki_unit *sums = sums_of(l, c);
        int64_t first = c * l->chunks.size, rows = hki_chunk_end(&l->chunks, first) - first;
        for (int64_t j = 0; j < w->c_out; j++)
            hki_unit_join(&w->units[j], (double)seen, &sums[j], (double)rows);
        seen += rows;
    }
    w->rows = seen;
}

static void gather_bins(const look *l)
{
    for (int c = 0; c < l->chunks.count; c++)
        for (int b = 0; b < HK_HISTOGRAM_BINS; b++)
            l->layer->bins[b] += l->probe->bins[c][b];
}

static void look_at_layer(hki_probe *probe, watched *w, const hki_call *call)
{
    look l = {.probe = probe, .layer = w, .call = call};
    for (int i = 0; i < w->n_parts; i++)
        l.contexts[i] = hki_context_of(call, hki_mix_part(w->tensor, i), l.slots[i]);
    l.chunks = hki_chunks_of(l.contexts[0].rows, w->c_in, tile_rows(w));
    int threads = hki_team(l.chunks.count, l.contexts[0].rows * w->c_in);
    bool is_first = !w->rows;
#pragma omp parallel for num_threads(threads) schedule(static)
    for (int c = 0; c < l.chunks.count; c++)
        look_at_chunk(&l, c);
    gather_units(&l);
    if (!is_first)
        return;
    place_bins(w);
#pragma omp parallel for num_threads(threads) schedule(static)
    for (int c = 0; c < l.chunks.count; c++)
        count_chunk(&l, c);
    gather_bins(&l);
}

static void watch(void *user, const hki_call *call, bool back, double seconds)
{
    hki_probe *probe = user;
    (void)seconds;
    for (int i = 0; i < probe->n_layers && !back; i++)
        if (probe->layers[i].tensor == call->tensor)
            look_at_layer(probe, &probe->layers[i], call);
}

/* ---- The probe ----------------------------------------------------------------------------------- */

/* Grows to a number of floats that fill cache lines. */
static void grow(int64_t *most, int64_t floats)
{
    *most = hki_max(*most, (floats + 15) / 16 * 16);
}

static void measure(const watched *w, int64_t batch, sizes *most)
{
    int64_t rows = hki_rows(&w->tensor->inputs[0]->shape, batch), learned = 0;
    for (int i = 0; i < w->n_parts; i++)
        learned += hki_learned_floats(part_of(w, i)->plugin, tile_rows(w), w->c_in);
    grow(&most->columns, hki_unit_columns(w->c_in));
    grow(&most->columns, hki_unit_columns(w->c_out));
    grow(&most->tile, tile_rows(w) * w->c_in);
    grow(&most->learned, learned);
    most->units = hki_max(most->units, w->c_out);
    most->sums = hki_max(most->sums, hki_chunks_most(rows, w->c_in, tile_rows(w)) * w->c_out);
}

static hk_status make_room(hki_probe *probe)
{
    sizes *most = &probe->most;
    for (int i = 0; i < probe->n_layers; i++)
        measure(&probe->layers[i], probe->plan->batch, most);
    probe->sums = hki_alloc_array((size_t)most->sums, sizeof *probe->sums);
    probe->bench_units = hki_alloc_array((size_t)(HKI_TEAM * most->units), sizeof(hki_unit));
    probe->bench_floats = hki_alloc_array((size_t)(HKI_TEAM * bench_floats(most)), sizeof(float));
    probe->ones = hki_alloc_array((size_t)most->tile, sizeof *probe->ones);
    if (!probe->sums || !probe->bench_units || !probe->bench_floats || !probe->ones)
        return HK_NO_MEMORY;
    for (int64_t i = 0; i < most->tile; i++)
        probe->ones[i] = 1;
    return HK_OK;
}

/* Forgets what was seen. */
static void forget(hki_probe *probe)
{
    for (int i = 0; i < probe->n_layers; i++) {
        watched *w = &probe->layers[i];
        w->rows = 0;
        hki_units_forget(w->units, w->c_out);
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
            status = watch_layer(&probe->layers[probe->n_layers++], plan->steps[s].call.tensor);
    if (!status)
        status = make_room(probe);
    if (status) {
        hki_probe_free(probe);
        *out = NULL;
        return status;
    }
    forget(probe);
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
    hki_free(probe->bench_units);
    hki_free(probe->bench_floats);
    hki_free(probe);
}

hk_status hki_probe_run(hki_probe *probe, const hk_tensor *input, const hk_data *data, int64_t n)
{
    float *x = hk_plan_value(probe->plan, input);
    hk_status status = HK_OK;
    forget(probe);
    for (int64_t done = 0, now; done < n && !status; done += now) {
        now = hki_min(n - done, probe->plan->batch);
        hki_data_images(data, done, now, x);
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

/* ---- Figures ------------------------------------------------------------------------------------- */

void hki_probe_unit(const hki_probe *probe, int i, int64_t unit, hki_unit *out)
{
    const watched *w = &probe->layers[i];
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
        out->x_most = out->x_least = out->x_mean = out->x_variance = none;
}

void hki_probe_report(const hki_probe *probe, int i, hk_layer_report *out)
{
    const watched *w = &probe->layers[i];
    const char *name = hki_layer_name(w->tensor->net, w->tensor->layer);
    double n = (double)w->c_out, mean_abs = 0, dead = 0, gradient_dead = 0, dormant = 0, m2 = 0;
    hki_unit unit;
    *out = (hk_layer_report){.units = w->c_out, .low = w->first_bin, .high = w->last_bin};
    memcpy(out->layer, name, strlen(name) + 1);
    memcpy(out->histogram, w->bins, sizeof w->bins);
    for (int64_t j = 0; j < w->c_out; j++) {
        hki_probe_unit(probe, i, j, &unit);
        dead += unit.most <= 0;
        gradient_dead += unit.slope < slope_threshold;
        out->saturated += unit.saturated / n;
        mean_abs += unit.mean_abs / n;
        hki_moments_join(&out->mean, &m2, (double)j, unit.mean, unit.variance, 1);
    }
    for (int64_t j = 0; j < w->c_out; j++) {
        hki_probe_unit(probe, i, j, &unit);
        dormant += unit.mean_abs <= dormant_score * mean_abs;
    }
    out->dead = dead / n;
    out->gradient_dead = w->has_slope ? gradient_dead / n : (double)NAN;
    out->dormant = dormant / n;
    out->variance = m2 / n;
}
