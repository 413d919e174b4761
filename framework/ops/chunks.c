/* How rows are cut: by their number alone, so that the order of sums never depends on threads. */
#include "ops/ops.h"

#include "engine/kernels.h"

static int64_t chunk_rows(int64_t rows, int64_t channels, int64_t grain)
{
    int64_t least = hki_ceil(4096, channels); /* rows worth a private sum */
    return hki_ceil(hki_max(hki_ceil(rows, HKI_MAX_CHUNKS), least), grain) * grain;
}

hki_chunks hki_chunks_of(int64_t rows, int64_t channels, int64_t grain)
{
    int64_t size = chunk_rows(rows, channels, grain);
    return (hki_chunks){.rows = rows, .size = size, .count = (int)hki_ceil(rows, size)};
}

int hki_chunks_most(int64_t rows, int64_t channels, int64_t grain)
{
    return (int)hki_min(hki_ceil(rows, chunk_rows(1, channels, grain)), HKI_MAX_CHUNKS);
}

int64_t hki_tile_rows(int64_t channels)
{
    const int64_t floats = 2048; /* 8 KiB: what a pass touches stays in the first-level cache */
    return hki_max(1, floats / channels);
}

double hki_sum_terms(int64_t n, int64_t work, double (*term)(const void *context, int64_t i),
                     const void *context)
{
    double partial[HKI_MAX_CHUNKS] = {0}, sum = 0;
    hki_chunks chunks = hki_chunks_of(n, work, 1);
#pragma omp parallel for num_threads(hki_threads_for((n * work))) schedule(static)
    for (int c = 0; c < chunks.count; c++) {
        int64_t first = c * chunks.size, end = hki_chunk_end(&chunks, first);
        for (int64_t i = first; i < end; i++)
            partial[c] += term(context, i);
    }
    for (int c = 0; c < chunks.count; c++)
        sum += partial[c];
    return sum;
}
