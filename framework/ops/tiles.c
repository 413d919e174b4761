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
    return (hk_context){.rows = hki_rows(x, call->batch),
                        .channels = hki_channels(x),
                        .rows_per_sample = hki_rows(x, 1),
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

size_t hki_tiles_scratch(const hk_tensor *y, int64_t batch)
{
    const hk_plugin *plugin = hki_use_of(y)->plugin;
    const int64_t rows = hki_rows(&y->inputs[0]->shape, batch);
    const int64_t channels = hki_channels(&y->inputs[0]->shape), tile = hki_tile_rows(channels);
    const int64_t floats = needs_of(plugin).n_sums * channels +
                           hki_learned_floats(plugin, rows, channels) + tile * channels;
    return (size_t)hki_chunks_most(rows, channels, tile) * hki_lines(floats) * sizeof(float);
}

/* What a chunk has to itself: sums, or gradients and room for an unwanted dx. */
static int64_t chunk_floats(const hki_pass *pass)
{
    const int64_t channels = pass->context.channels;
    int64_t floats = needs_of(pass->plugin).n_sums * channels;
    if (pass->whole.dy)
        floats = hki_learned_floats(pass->plugin, pass->context.rows, channels) +
                 (pass->whole.dx ? 0 : hki_tile_rows(channels) * channels);
    return (int64_t)hki_lines(floats);
}

int64_t hki_pass_scratch(const hki_pass *pass)
{
    const int64_t channels = pass->context.channels;
    return hki_chunks_of(pass->context.rows, channels, hki_tile_rows(channels)).count *
           chunk_floats(pass);
}

/* Tile after tile of a chunk; `own` is its scratch. */
static void run_chunk(const hki_pass *pass, int64_t first, int64_t end, float *own)
{
    const hk_plugin *plugin = pass->plugin;
    const hk_tile *whole = &pass->whole;
    const bool back = whole->dy != NULL;
    hk_block *kernel = back ? hki_backward(plugin) : hki_forward(plugin);
    const block_needs needs = needs_of(plugin);
    const int64_t c_in = pass->context.channels, c_out = pass->channels_out;
    const int64_t tile_rows = hki_tile_rows(c_in), sums = back ? 0 : needs.n_sums * c_in;
    const int64_t learned = back ? hki_learned_floats(plugin, pass->context.rows, c_in) : 0;
    float *dslots[HK_MAX_SLOTS];
    memset(own, 0, (size_t)(sums + learned) * sizeof *own);
    hki_point_slots(plugin, pass->context.rows, c_in, own, dslots);
    for (int64_t r = first; r < end; r += tile_rows) {
        hk_tile tile = {.rows = r + tile_rows < end ? tile_rows : end - r, .first_row = r};
        if (!back || needs.reads & HK_READS_X)
            tile.x = whole->x + r * c_in;
        if (!back || needs.reads & HK_READS_Y)
            tile.y = whole->y + r * c_out;
        if (needs.aux_floats)
            tile.aux = whole->aux + r * needs.aux_floats;
        if (back) {
            tile.dy = whole->dy + r * c_out;
            tile.dx = whole->dx ? whole->dx + r * c_in : own + learned;
            tile.dslots = dslots;
        } else if (needs.n_sums) {
            tile.sums = own;
        }
        kernel(&pass->context, &tile);
    }
}

static void chunk_task(const void *given, int64_t c)
{
    const hki_pass *pass = given;
    const int64_t rows = pass->context.rows, channels = pass->context.channels;
    const hki_chunks chunks = hki_chunks_of(rows, channels, hki_tile_rows(channels));
    run_chunk(pass, c * chunks.size, hki_chunk_end(&chunks, c * chunks.size),
              pass->scratch + c * chunk_floats(pass));
}

int hki_pass_run(const hki_pass *pass, int64_t *stride)
{
    const int64_t rows = pass->context.rows, channels = pass->context.channels;
    const int chunks = hki_chunks_of(rows, channels, hki_tile_rows(channels)).count;
    *stride = chunk_floats(pass);
    hki_each(hki_threads_for(rows * channels), chunks, chunk_task, pass);
    return chunks;
}

/* That of a plan's call, over the whole tensor. */
static hki_pass pass_of(const hki_call *call, bool back, float **slots)
{
    return (hki_pass){.plugin = hki_use_of(call->tensor)->plugin,
                      .context = hki_context_of(call, call->tensor, slots),
                      .channels_out = hki_channels(&call->tensor->shape),
                      .whole = {.x = call->x[0],
                                .y = call->y,
                                .aux = call->saved,
                                .dy = back ? call->dy : NULL,
                                .dx = call->dx[0]},
                      .scratch = call->scratch};
}

/* Sum over parts of one of their private floats. */
static double sum_of_parts(const float *first, int n, int64_t stride)
{
    double sum = 0;
    for (int i = 0; i < n; i++)
        sum += (double)first[i * stride];
    return sum;
}

void hki_pass_sums(const hki_pass *pass, int parts, int64_t stride, double *sums)
{
    const int64_t n = needs_of(pass->plugin).n_sums * pass->context.channels;
    for (int64_t i = 0; i < n; i++)
        sums[i] = sum_of_parts(pass->scratch + i, parts, stride);
}

void hki_tiles_forward(const hki_call *call, double *sums)
{
    int64_t stride;
    float *slots[HK_MAX_SLOTS];
    const hki_pass pass = pass_of(call, false, slots);
    int chunks = hki_pass_run(&pass, &stride);
    if (sums)
        hki_pass_sums(&pass, chunks, stride, sums);
}

void hki_gather_slots(float *const *dslots, const hk_plugin *plugin, int64_t rows, int64_t channels,
                      const float *parts, int n, int64_t stride)
{
    for (int i = 0; i < hki_slot_count(plugin); i++) {
        if (plugin->slots[i].role != HK_LEARNED)
            continue;
        int64_t length = hki_slot_length(&plugin->slots[i], rows, channels);
        for (int64_t j = 0; dslots[i] && j < length; j++)
            dslots[i][j] = (float)sum_of_parts(parts + j, n, stride);
        parts += length;
    }
}

void hki_tiles_backward(const hki_call *call)
{
    int64_t stride;
    float *slots[HK_MAX_SLOTS];
    const hki_pass pass = pass_of(call, true, slots);
    int chunks = hki_pass_run(&pass, &stride);
    hki_gather_slots(call->dx + 1, pass.plugin, pass.context.rows, pass.context.channels,
                     pass.scratch, chunks, stride);
}

void hki_clamp_slots(const hki_call *call)
{
    for (int i = 1; i < call->tensor->n_inputs; i++)
        hki_clamp(call->tensor->inputs[i]);
}
