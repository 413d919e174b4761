/* Dead, gradient-dead and saturated units, as defined in docs/dead-neurons.md: a unit is a
 * channel; it is dead when no output on any position of any evaluated input was above 0, and
 * gradient-dead when |f'(x)| never reached 1e-3. Maxima and counts do not depend on the order, so
 * chunks may be merged in any. */
#include "train/probe.h"

#include <math.h>
#include <string.h>

#include "nn/nn.h"

static const float slope_threshold = 1e-3f, asymptote_distance = 0.05f;

/* What is known of one activation. Each chunk has its own rows: most[c_out], slope[c_in]. */
typedef struct watched {
    const hk_tensor *tensor;
    int64_t c_in, c_out;
    bool has_slope;      /* elementwise: f'(x) is what backward makes of ones */
    bool is_bounded;     /* has asymptotes on both sides, at low and high */
    float low, high;
    float *most, *slope; /* [HKI_MAX_CHUNKS][channels] */
    float *ones, *dx;    /* [c_out], [HKI_MAX_CHUNKS] tiles */
    int64_t longest;     /* of its learned slots */
    float *unwanted;     /* [HKI_MAX_CHUNKS][longest]: gradients of slots that nobody reads */
    int64_t saturated[HKI_MAX_CHUNKS], outputs;
} watched;

struct hki_probe {
    hk_plan *plan;
    watched *layers;
    int n_layers;
    int64_t seen;
};

/* Finite limits on both sides: bounded, with asymptotes there. */
static void find_asymptotes(watched *w)
{
    const hki_use *use = hki_use_of(w->tensor);
    double slots[HK_MAX_SLOTS] = {0};
    hk_scalar64 at = {.p = use->params, .t = slots};
    if (!use->plugin->activation->value)
        return;
    for (int i = 0; i < hki_slot_count(use->plugin); i++)
        slots[i] = use->plugin->slots[i].value;
    double values[4];
    for (int i = 0; i < 4; i++) {
        static const double far[4] = {-1e4, -1e3, 1e3, 1e4};
        at.x = far[i];
        values[i] = use->plugin->activation->value(&at);
    }
    w->low = (float)fmin(values[0], values[3]);
    w->high = (float)fmax(values[0], values[3]);
    w->is_bounded = fabs(values[0] - values[1]) < 1e-2 && fabs(values[3] - values[2]) < 1e-2 &&
                    w->low < w->high;
}

static hk_status watch_layer(watched *w, const hk_tensor *t)
{
    w->tensor = t;
    w->c_in = hki_channels(&t->inputs[0]->shape);
    w->c_out = hki_channels(&t->shape);
    w->has_slope = w->c_in == w->c_out &&
                   !(hki_use_of(t)->plugin->activation->traits & HK_ROWWISE);
    find_asymptotes(w);
    const hk_plugin *plugin = hki_use_of(t)->plugin;
    for (int i = 0; i < hki_slot_count(plugin); i++) {
        int64_t length = hki_slot_length(&plugin->slots[i], 1, w->c_in);
        w->longest = length > w->longest ? length : w->longest;
    }
    size_t tile = (size_t)(hki_tile_rows(w->c_in) * w->c_in);
    w->most = hki_alloc_array((size_t)(HKI_MAX_CHUNKS * w->c_out), sizeof(float));
    w->slope = hki_alloc_array((size_t)(HKI_MAX_CHUNKS * w->c_in), sizeof(float));
    w->ones = hki_alloc_array(tile, sizeof(float));
    w->dx = hki_alloc_array(HKI_MAX_CHUNKS * tile, sizeof(float));
    w->unwanted = hki_alloc_array((size_t)(HKI_MAX_CHUNKS * w->longest), sizeof(float));
    if (!w->most || !w->slope || !w->ones || !w->dx || !w->unwanted)
        return HK_NO_MEMORY;
    for (size_t i = 0; i < tile; i++)
        w->ones[i] = 1;
    return HK_OK;
}

/* ---- Looking at a run ---------------------------------------------------------------------------------- */

static void look_at_outputs(watched *w, int chunk, int64_t rows, const float *y)
{
    float *most = w->most + chunk * w->c_out;
    for (int64_t r = 0; r < rows; r++)
        for (int64_t j = 0; j < w->c_out; j++) {
            float v = y[r * w->c_out + j];
            most[j] = v > most[j] ? v : most[j];
        }
    if (!w->is_bounded)
        return;
    int64_t count = 0;
    float low = w->low + asymptote_distance, high = w->high - asymptote_distance;
    for (int64_t i = 0; i < rows * w->c_out; i++)
        count += y[i] < low || y[i] > high;
    w->saturated[chunk] += count;
}

static void look_at_slopes(watched *w, int chunk, const hk_context *context, hk_tile tile,
                           uint32_t reads)
{
    float *slope = w->slope + chunk * w->c_in, *dslots[HK_MAX_SLOTS] = {0};
    const hk_plugin *plugin = hki_use_of(w->tensor)->plugin;
    int64_t rows = hki_tile_rows(w->c_in);
    for (int i = 0; i < hki_slot_count(plugin); i++)
        if (plugin->slots[i].role == HK_LEARNED)
            dslots[i] = w->unwanted + chunk * w->longest;
    tile.dy = w->ones;
    tile.dx = w->dx + chunk * rows * w->c_in;
    tile.dslots = dslots;
    if (!(reads & HK_READS_X))
        tile.x = NULL;
    hki_backward(plugin)(context, &tile);
    for (int64_t r = 0; r < tile.rows; r++)
        for (int64_t j = 0; j < w->c_in; j++) {
            float v = fabsf(tile.dx[r * w->c_in + j]);
            slope[j] = v > slope[j] ? v : slope[j];
        }
}

static void look_at_layer(watched *w, const hki_call *call)
{
    const hki_use *use = hki_use_of(w->tensor);
    const hk_activation *activation = use->plugin->activation;
    float *slots[HK_MAX_SLOTS];
    hk_context context = hki_context_of(call, call->tensor, 1, use, slots);
    int64_t tile_rows = hki_tile_rows(w->c_in);
    hki_chunks chunks = hki_chunks_of(context.rows, w->c_in, tile_rows);
#pragma omp parallel for num_threads(hki_threads_for(context.rows * w->c_in)) schedule(static)
    for (int c = 0; c < chunks.count; c++) {
        int64_t end = hki_chunk_end(&chunks, c * chunks.size);
        for (int64_t r = c * chunks.size; r < end; r += tile_rows) {
            int64_t rows = r + tile_rows < end ? tile_rows : end - r;
            hk_tile tile = {.rows = rows, .first_row = r, .x = call->x[0] + r * w->c_in,
                            .y = call->y + r * w->c_out};
            if (activation->aux_floats)
                tile.aux = (float *)call->keep + r * activation->aux_floats;
            look_at_outputs(w, c, rows, tile.y);
            if (w->has_slope)
                look_at_slopes(w, c, &context, tile, activation->reads);
        }
    }
    w->outputs += context.rows * w->c_out;
}

static void watch(void *user, const hki_call *call, bool back, double seconds)
{
    hki_probe *probe = user;
    (void)seconds;
    for (int i = 0; i < probe->n_layers && !back; i++)
        if (probe->layers[i].tensor == call->tensor) {
            look_at_layer(&probe->layers[i], call);
            if (i == 0)
                probe->seen += call->batch;
        }
}

/* ---- The probe ------------------------------------------------------------------------------------------- */

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
        if (plan->steps[s].call.tensor->op == &hki_op_activate)
            status = watch_layer(&probe->layers[probe->n_layers++], plan->steps[s].call.tensor);
    if (status) {
        hki_probe_free(probe);
        *out = NULL;
        return status;
    }
    hki_plan_watch(plan, watch, probe);
    return HK_OK;
}

void hki_probe_free(hki_probe *probe)
{
    if (!probe)
        return;
    for (int i = 0; i < probe->n_layers; i++) {
        hki_free(probe->layers[i].most);
        hki_free(probe->layers[i].slope);
        hki_free(probe->layers[i].ones);
        hki_free(probe->layers[i].dx);
        hki_free(probe->layers[i].unwanted);
    }
    hki_free(probe->layers);
    hki_free(probe);
}

void hki_probe_reset(hki_probe *probe)
{
    probe->seen = 0;
    for (int i = 0; i < probe->n_layers; i++) {
        watched *w = &probe->layers[i];
        w->outputs = 0;
        memset(w->saturated, 0, sizeof w->saturated);
        memset(w->slope, 0, (size_t)(HKI_MAX_CHUNKS * w->c_in) * sizeof(float));
        for (int64_t j = 0; j < HKI_MAX_CHUNKS * w->c_out; j++)
            w->most[j] = -INFINITY;
    }
}

int64_t hki_probe_seen(const hki_probe *probe)
{
    return probe->seen;
}

int hki_probe_layers(const hki_probe *probe)
{
    return probe->n_layers;
}

int hki_probe_layer(const hki_probe *probe, int i)
{
    return probe->layers[i].tensor->layer;
}

/* Share of channels whose largest value over all chunks stays at or below (below) the limit. */
static double share_of_units(const float *values, int64_t channels, float limit, bool or_equal)
{
    int64_t count = 0;
    for (int64_t j = 0; j < channels; j++) {
        float most = values[j];
        for (int c = 1; c < HKI_MAX_CHUNKS; c++)
            most = values[c * channels + j] > most ? values[c * channels + j] : most;
        count += or_equal ? most <= limit : most < limit;
    }
    return (double)count / (double)channels;
}

void hki_probe_report(const hki_probe *probe, int i, hk_layer_report *out)
{
    const watched *w = &probe->layers[i];
    int64_t saturated = 0;
    for (int c = 0; c < HKI_MAX_CHUNKS; c++)
        saturated += w->saturated[c];
    const char *name = hki_layer_name(w->tensor->net, w->tensor->layer);
    *out = (hk_layer_report){.units = w->c_out};
    memcpy(out->layer, name, strlen(name) + 1);
    out->dead = share_of_units(w->most, w->c_out, 0, true);
    out->gradient_dead =
        w->has_slope ? share_of_units(w->slope, w->c_in, slope_threshold, false) : (double)NAN;
    out->saturated = w->outputs ? (double)saturated / (double)w->outputs : 0;
}
