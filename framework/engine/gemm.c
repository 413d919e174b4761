/* Matrix products and column sums. A task of a product is a panel of columns times a group of
 * rows; its sum over k runs in one piece, so that nothing crosses tasks. */
#include "engine/kernels.h"

#include <string.h>

#include "core/base.h"

enum {
    ROWS_A_TASK = 112,  /* a multiple of the rows of the usual register blocks */
    STEPS_A_PACK = 256, /* rows of b that one packing task takes */
    ENOUGH_ROWS = 256,  /* to pack b for */
    DOTS_A_TASK = 64,
    SUM_CHUNKS = 64,
    SUM_CHUNK = 32768 /* elements from which a chunk of column sums is worth its own task */
};

typedef struct job {
    int64_t m, n, k;
    bool ta, tb;
    const float *a, *b, *bias;
    float *y, *packed;
    float *last; /* the last row of a b that is read in place, with room behind it */
    hki_panels panels;
    const hki_run *runs;
    int64_t n_runs;
} job;

size_t hki_native_gemm_scratch(int64_t m, int64_t n, int64_t k, bool ta, bool tb)
{
    (void)m;
    (void)ta;
    (void)tb;
    return sizeof(float) * hki_panels_floats(k, n) + sizeof(hki_run) * (size_t)hki_runs_bound(1, k);
}

static void pack_task(const void *given, int64_t t)
{
    const job *j = given;
    int64_t groups = hki_ceil(j->k, STEPS_A_PACK), first = t % groups * STEPS_A_PACK;
    int64_t steps = hki_min(STEPS_A_PACK, j->k - first), index = t / groups;
    if (!j->tb) {
        hki_panel_pack(&j->panels, j->packed, index, first, steps, j->b + first * j->n, j->n, 1);
        return;
    }
    hki_product to;
    int64_t column = hki_panel_use(&j->panels, index, &to);
    float *packed = j->packed + (to.b - j->packed) + first * to.b_step;
    if (to.b_step > to.columns)
        memset(packed, 0, sizeof *packed * (size_t)(steps * to.b_step));
    hki_kernels_active()->transpose(to.columns, steps, j->b + column * j->k + first, j->k, packed,
                                    to.b_step);
}

/* Few rows times a transposed matrix: not worth turning it round. */
static void dots_task(const void *given, int64_t t)
{
    const job *j = given;
    int64_t first = t * DOTS_A_TASK, rows = hki_min(DOTS_A_TASK, j->n - first);
    for (int64_t i = 0; i < j->m; i++) {
        float *y = j->y + i * j->n + first;
        hki_kernels_active()->dots(j->k, j->a + i * j->k, rows, j->b + first * j->k, j->k, y);
        for (int64_t c = 0; j->bias && c < rows; c++)
            y[c] += j->bias[first + c];
    }
}

/* A weight gradient (ta) is shared out by rows: so the optimizer shares out what it becomes, and a
 * core finds it in its own cache. */
static void product_task(const void *given, int64_t t)
{
    const job *j = given;
    int64_t groups = hki_ceil(j->m, ROWS_A_TASK), count = hki_panel_count(&j->panels);
    int64_t group = j->ta ? t / count : t % groups, index = j->ta ? t % count : t / groups;
    int64_t first = j->m * group / groups, next = j->m * (group + 1) / groups;
    hki_product p = {.rows = next - first,
                     .a = j->a + first * (j->ta ? 1 : j->k),
                     .a_row = j->ta ? 1 : j->k,
                     .a_step = j->ta ? j->m : 1,
                     .runs = j->runs,
                     .n_runs = j->n_runs,
                     .y_row = j->n};
    int64_t column = hki_panel_use(&j->panels, index, &p);
    p.y = j->y + first * j->n + column;
    p.bias = j->bias ? j->bias + column : NULL;
    hki_kernels_active()->product(&p);
    if (j->last) {
        const hki_run run = {(j->k - 1) * p.a_step, 0, 1};
        p.b = j->last + column;
        p.runs = &run;
        p.n_runs = 1;
        p.add = true;
        hki_kernels_active()->product(&p);
    }
}

void hki_native_gemm(int64_t m, int64_t n, int64_t k, bool ta, bool tb, const float *a,
                     const float *b, const float *bias, float *y, void *scratch)
{
    job j = {m, n, k, ta, tb, a, b, bias, y, .packed = scratch};
    const hki_kernels *kernels = hki_kernels_active();
    bool whole = n % kernels->lanes == 0;
    if (tb && (!ta || m == 1) && m <= kernels->few_rows) {
        int64_t tasks = hki_ceil(n, DOTS_A_TASK);
        hki_each(hki_team(tasks, m * n * k / HKI_AT_ONCE), tasks, dots_task, &j);
        return;
    }
    hki_run *runs = (hki_run *)((float *)scratch + hki_panels_floats(k, n));
    j.panels = (hki_panels){.b = scratch, .depth = k, .columns = n, .width = hki_panel_width(m, n)};
    /* Packing pays when b is read often: in place its steps are far apart. */
    int64_t packs = 0;
    bool in_place = whole || (k > 1 && n > kernels->lanes);
    if (!tb && in_place && (m < ENOUGH_ROWS || n <= j.panels.width)) {
        j.panels.b = b;
        j.panels.step = n;
        j.last = whole ? NULL : memcpy(scratch, b + (k - 1) * n, sizeof *b * (size_t)n);
    } else {
        packs = hki_ceil(k, STEPS_A_PACK) * hki_panel_count(&j.panels);
    }
    j.runs = runs;
    j.n_runs = hki_run_add(runs, 0, 0, 0, j.last ? k - 1 : k, ta ? m : 1);
    int64_t tasks = hki_ceil(m, ROWS_A_TASK) * hki_panel_count(&j.panels);
    int team = hki_team(hki_max(packs, tasks), m * n * k / HKI_AT_ONCE);
    hki_each(team, packs, pack_task, &j);
    hki_each(team, tasks, product_task, &j);
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
#pragma omp parallel for num_threads(hki_team(chunks, (rows * c))) schedule(static)
    for (int64_t i = 0; i < chunks; i++) {
        int64_t first = rows * i / chunks, next = rows * (i + 1) / chunks;
        kernels->column_sums(next - first, c, x + first * c, c, sums + i * c);
    }
    kernels->column_sums(chunks, c, sums, c, out);
}
