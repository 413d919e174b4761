/* Running a plugin's block kernel over the rows of a tensor.
 *
 * Rows are cut into chunks by their number alone, chunks into tiles that fit the first-level
 * cache. A chunk has private sums and slot gradients, added in order of the chunks afterwards: so
 * the bits do not depend on the threads. Scratch of a chunk, in floats:
 *     sums [n_sums x channels], gradients of learned slots, one tile of unwanted dx */
#include "ops/ops.h"

#include <string.h>

#include "engine/kernels.h"

/* What a plugin's kernels see and fill beside x and y, whichever kind it is. */
typedef struct block_needs {
    uint32_t reads, aux_floats, n_sums;
} block_needs;

static block_needs needs_of(const hk_plugin *plugin)
{
    const hk_activation *a = plugin->activation;
    if (a)
        return (block_needs){a->reads, a->aux_floats, a->n_sums};
    return (block_needs){HK_READS_X | HK_READS_Y, plugin->normalization->aux_floats, 0};
}

hk_context hki_context_of(const hki_call *call, const hk_tensor *y, float **slots)
{
    const hk_shape *x = &y->inputs[0]->shape;
    memset(slots, 0, HK_MAX_SLOTS * sizeof *slots);
    for (int i = 1; i < y->n_inputs; i++)
        slots[i - 1] = y->inputs[i]->value;
    int64_t rows = hki_rows(x, call->batch);
    return (hk_context){.rows = rows,
                        .channels = hki_channels(x),
                        .rows_per_sample = hki_is_batched(x) ? rows / call->batch : rows,
                        .training = call->training,
                        .surrogate = call->surrogate,
                        .key = call->key,
                        .params = hki_use_of(y)->params,
                        .slots = slots};
}

int64_t hki_learned_floats(const hk_plugin *plugin, int64_t rows, int64_t channels)
{
    int64_t floats = 0;
    for (int i = 0; i < hki_slot_count(plugin); i++)
        if (plugin->slots[i].role == HK_LEARNED)
            floats += hki_slot_length(&plugin->slots[i], rows, channels);
    return floats;
}

void hki_point_slots(const hk_plugin *plugin, int64_t rows, int64_t channels, float *own,
                     float **dslots)
{
    for (int i = 0; i < HK_MAX_SLOTS; i++)
        dslots[i] = NULL;
    for (int i = 0; i < hki_slot_count(plugin); i++)
        if (plugin->slots[i].role == HK_LEARNED) {
            dslots[i] = own;
            own += hki_slot_length(&plugin->slots[i], rows, channels);
        }
}

void hki_clear_slots(const hki_call *call, int first, const hk_plugin *plugin, int64_t rows,
                     int64_t channels, float *unwanted, float **dslots)
{
    hki_point_slots(plugin, rows, channels, unwanted, dslots);
    for (int i = 0; i < hki_slot_count(plugin); i++) {
        if (!dslots[i])
            continue;
        if (call->dx[first + i])
            dslots[i] = call->dx[first + i];
        memset(dslots[i], 0,
               (size_t)hki_slot_length(&plugin->slots[i], rows, channels) * sizeof *unwanted);
    }
}

hki_operands hki_tiles_reads(const hk_tensor *y)
{
    uint32_t reads = needs_of(hki_use_of(y)->plugin).reads;
    return (reads & HK_READS_X ? HKI_INPUT_BIT(0) : 0) | (reads & HK_READS_Y ? HKI_OUTPUT_BIT : 0);
}

size_t hki_tiles_saved(const hk_tensor *y, int64_t batch)
{
    return (size_t)hki_rows(&y->shape, batch) * needs_of(hki_use_of(y)->plugin).aux_floats *
           sizeof(float);
}

static int64_t chunk_floats(const hk_plugin *plugin, int64_t rows, int64_t channels,
                            uint32_t n_sums)
{
    int64_t floats = n_sums * channels + hki_learned_floats(plugin, rows, channels) +
                     hki_tile_rows(channels) * channels;
    return (int64_t)hki_lines(floats);
}

size_t hki_tiles_scratch(const hk_tensor *y, int64_t batch)
{
    const hk_plugin *plugin = hki_use_of(y)->plugin;
    int64_t rows = hki_rows(&y->inputs[0]->shape, batch);
    int64_t channels = hki_channels(&y->inputs[0]->shape);
    int chunks = hki_chunks_most(rows, channels, hki_tile_rows(channels));
    int64_t floats = chunks * chunk_floats(plugin, rows, channels, needs_of(plugin).n_sums);
    return (size_t)floats * sizeof(float);
}

/* Runs the plugin's kernel over all tiles. Returns how many chunks have left sums or gradients of their
 * own, *stride floats apart. */
static int run_tiles(const hki_call *call, bool back, int64_t *stride)
{
    float *slots[HK_MAX_SLOTS], *scratch = call->scratch;
    const hk_plugin *plugin = hki_use_of(call->tensor)->plugin;
    hk_block *kernel = back ? hki_backward(plugin) : hki_forward(plugin);
    const block_needs needs = needs_of(plugin);
    hk_context context = hki_context_of(call, call->tensor, slots);
    const int64_t c_in = context.channels, c_out = hki_channels(&call->tensor->shape);
    const int64_t tile_rows = hki_tile_rows(c_in), sums = back ? 0 : needs.n_sums * c_in;
    const int64_t learned = back ? hki_learned_floats(plugin, context.rows, c_in) : 0;
    const hki_chunks chunks = hki_chunks_of(context.rows, c_in, tile_rows);
    const int64_t each = chunk_floats(plugin, context.rows, c_in, back ? 0 : needs.n_sums);
#pragma omp parallel for num_threads(hki_threads_for((context.rows * c_in))) schedule(static)
    for (int c = 0; c < chunks.count; c++) {
        float *own = scratch + c * each, *dslots[HK_MAX_SLOTS];
        memset(own, 0, (size_t)(sums + learned) * sizeof *own);
        hki_point_slots(plugin, context.rows, c_in, own, dslots);
        int64_t end = hki_chunk_end(&chunks, c * chunks.size);
        for (int64_t r = c * chunks.size; r < end; r += tile_rows) {
            hk_tile tile = {.rows = r + tile_rows < end ? tile_rows : end - r, .first_row = r};
            if (!back || needs.reads & HK_READS_X)
                tile.x = call->x[0] + r * c_in;
            if (!back || needs.reads & HK_READS_Y)
                tile.y = call->y + r * c_out;
            if (needs.aux_floats)
                tile.aux = (float *)call->saved + r * needs.aux_floats;
            if (back) {
                tile.dy = call->dy + r * c_out;
                tile.dx = call->dx[0] ? call->dx[0] + r * c_in : own + learned;
                tile.dslots = dslots;
            } else if (needs.n_sums) {
                tile.sums = own;
            }
            kernel(&context, &tile);
        }
    }
    *stride = each;
    return chunks.count;
}

/* Sum over parts of one of their private floats. */
static double sum_of_parts(const float *first, int n, int64_t stride)
{
    double sum = 0;
    for (int i = 0; i < n; i++)
        sum += (double)first[i * stride];
    return sum;
}

void hki_tiles_forward(const hki_call *call, double *sums)
{
    int64_t stride, channels = hki_channels(&call->tensor->inputs[0]->shape);
    int64_t n = needs_of(hki_use_of(call->tensor)->plugin).n_sums * channels;
    int chunks = run_tiles(call, false, &stride);
    for (int64_t i = 0; sums && i < n; i++)
        sums[i] = sum_of_parts((const float *)call->scratch + i, chunks, stride);
}

void hki_gather_slots(const hki_call *call, int first, const hk_plugin *plugin, int64_t rows,
                      int64_t channels, const float *parts, int n, int64_t stride)
{
    for (int i = 0; i < hki_slot_count(plugin); i++) {
        float *dx = call->dx[first + i];
        if (plugin->slots[i].role != HK_LEARNED)
            continue;
        int64_t length = hki_slot_length(&plugin->slots[i], rows, channels);
        for (int64_t j = 0; dx && j < length; j++)
            dx[j] = (float)sum_of_parts(parts + j, n, stride);
        parts += length;
    }
}

void hki_tiles_backward(const hki_call *call)
{
    const hk_shape *x = &call->tensor->inputs[0]->shape;
    int64_t stride;
    int chunks = run_tiles(call, true, &stride);
    hki_gather_slots(call, 1, hki_use_of(call->tensor)->plugin, hki_rows(x, call->batch),
                     hki_channels(x), call->scratch, chunks, stride);
}

void hki_clamp_slots(const hki_call *call)
{
    for (int i = 1; i < call->tensor->n_inputs; i++)
        hki_clamp(call->tensor->inputs[i]);
}
