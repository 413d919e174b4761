/* Matrix products and column sums. A task of a product is a panel of columns times a group of
 * rows; its sum over k runs in one piece, so that nothing crosses tasks. */
#include "engine/kernels.h"

#include <string.h>

#include "core/core.h"

enum {
    ROWS_A_TASK = 112,   /* a multiple of the rows of the usual register blocks */
    STEPS_A_PACK = 256,  /* rows of b that one packing task takes */
    ENOUGH_ROWS = 64,    /* to pack b for */
    SUM_CHUNKS = 64,
    SUM_CHUNK = 32768    /* elements from which a chunk of column sums is worth its own task */
};

size_t hki_native_gemm_scratch(int64_t m, int64_t n, int64_t k, bool ta, bool tb)
{
    (void)m;
    (void)ta;
    (void)tb;
    return sizeof(float) * hki_panels_floats(k, n) +
           sizeof(hki_run) * (size_t)hki_runs_bound(1, k);
}

static void pack_b(hki_panels *p, float *packed, const float *b, ptrdiff_t row, ptrdiff_t column)
{
    int64_t groups = hki_ceil(p->depth, STEPS_A_PACK), tasks = groups * hki_panel_count(p);
#pragma omp parallel for num_threads(hki_team(tasks, p->depth * p->columns)) schedule(static)
    for (int64_t t = 0; t < tasks; t++) {
        int64_t first = t % groups * STEPS_A_PACK;
        hki_panel_pack(p, packed, t / groups, first, hki_min(STEPS_A_PACK, p->depth - first),
                       b + first * row, row, column);
    }
    p->b = packed;
}

void hki_native_gemm(int64_t m, int64_t n, int64_t k, bool ta, bool tb, const float *a,
                     const float *b, const float *bias, float *y, void *scratch)
{
    const hki_kernels *kernels = hki_kernels_active();
    hki_panels panels = {.b = b, .depth = k, .columns = n, .width = hki_panel_width(m, n)};
    /* Packing pays when b is read often: in place its steps are far apart. */
    if (!tb && n % kernels->lanes == 0 && (m < ENOUGH_ROWS || n <= panels.width))
        panels.step = n;
    else
        pack_b(&panels, scratch, b, tb ? 1 : n, tb ? k : 1);
    hki_run *runs = (hki_run *)((float *)scratch + hki_panels_floats(k, n));
    int64_t n_runs = hki_run_add(runs, 0, 0, 0, k, ta ? m : 1);

    int64_t groups = hki_ceil(m, ROWS_A_TASK), tasks = groups * hki_panel_count(&panels);
#pragma omp parallel for num_threads(hki_team(tasks, m * n * k)) schedule(static)
    for (int64_t t = 0; t < tasks; t++) {
        int64_t first = m * (t % groups) / groups, next = m * (t % groups + 1) / groups;
        hki_product p = {.rows = next - first,
                         .a = a + first * (ta ? 1 : k),
                         .a_row = ta ? 1 : k,
                         .a_step = ta ? m : 1,
                         .runs = runs,
                         .n_runs = n_runs,
                         .y_row = n};
        int64_t column = hki_panel_use(&panels, t / groups, &p);
        p.y = y + first * n + column;
        p.bias = bias ? bias + column : NULL;
        kernels->product(&p);
    }
}

static int64_t sum_chunks(int64_t rows, int64_t c)
{
    return hki_max(1, hki_min(hki_min(rows, SUM_CHUNKS), rows * c / SUM_CHUNK));
}

size_t hki_native_column_sums_scratch(int64_t rows, int64_t c)
{
    return sizeof(float) * (size_t)sum_chunks(rows, c) * (size_t)c;
}

void hki_native_column_sums(int64_t rows, int64_t c, const float *x, float *out, void *scratch)
{
    const hki_kernels *kernels = hki_kernels_active();
    float *sums = scratch;
    int64_t chunks = sum_chunks(rows, c);
#pragma omp parallel for num_threads(hki_team(chunks, rows * c)) schedule(static)
    for (int64_t i = 0; i < chunks; i++) {
        int64_t first = rows * i / chunks, next = rows * (i + 1) / chunks;
        kernels->column_sums(next - first, c, x + first * c, c, sums + i * c);
    }
    kernels->column_sums(chunks, c, sums, c, out);
}
