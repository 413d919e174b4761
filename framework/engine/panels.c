/* What the drivers share: teams of threads, lists of runs, panels of packed columns. */
#include "engine/kernels.h"

#include <string.h>

#ifdef _OPENMP
#include <omp.h>
#endif

#include "core/base.h"

int hki_team(int64_t tasks, int64_t work)
{
    return (int)hki_max(1, hki_min(hki_min(tasks, HKI_TEAM), hki_threads_for(work)));
}

int hki_team_member(void)
{
#ifdef _OPENMP
    return omp_get_thread_num();
#else
    return 0;
#endif
}

int64_t hki_run_add(hki_run *runs, int64_t n, ptrdiff_t a, int64_t b, int64_t length,
                    ptrdiff_t a_step)
{
    hki_run *last = n > 0 ? &runs[n - 1] : NULL;
    if (last && last->b + last->length == b && last->a + last->length * a_step == a &&
        last->length + length <= HKI_DEPTH) {
        last->length += length;
        return n;
    }
    int64_t pieces = hki_ceil(length, HKI_DEPTH), done = 0;
    for (int64_t i = 1; i <= pieces; i++) {
        int64_t next = length * i / pieces;
        runs[n++] = (hki_run){a + done * a_step, b + done, next - done};
        done = next;
    }
    return n;
}

int hki_panel_width(int64_t rows, int64_t columns)
{
    const hki_kernels *kernels = hki_kernels_active();
    int vectors = rows <= kernels->few_rows ? 4 : 2;
    return kernels->lanes * (int)hki_min(vectors, hki_ceil(columns, kernels->lanes));
}

int64_t hki_panel_count(const hki_panels *p)
{
    return hki_ceil(p->columns, p->width);
}

size_t hki_panels_floats(int64_t depth, int64_t columns)
{
    return (size_t)depth * hki_lines(columns);
}

static int columns_of(const hki_panels *p, int64_t index)
{
    return (int)hki_min(p->width, p->columns - index * p->width);
}

/* Distance of the steps of a packed panel: its columns, up to whole vectors. */
static int packed_step(const hki_panels *p, int64_t index)
{
    int lanes = hki_kernels_active()->lanes;
    return (int)hki_ceil(columns_of(p, index), lanes) * lanes;
}

void hki_panel_pack(const hki_panels *p, float *packed, int64_t index, int64_t first, int64_t n,
                    const float *from, ptrdiff_t row, ptrdiff_t column)
{
    int columns = columns_of(p, index), step = packed_step(p, index);
    float *to = packed + index * p->width * p->depth + first * step;
    from += index * p->width * column;
    for (int64_t r = 0; r < n; r++, to += step, from += row) {
        if (column == 1)
            memcpy(to, from, sizeof *to * (size_t)columns);
        else
            for (int c = 0; c < columns; c++)
                to[c] = from[c * column];
        for (int c = columns; c < step; c++)
            to[c] = 0;
    }
}

int64_t hki_panel_use(const hki_panels *p, int64_t index, hki_product *out)
{
    int64_t first = index * p->width;
    out->columns = columns_of(p, index);
    out->b = p->step ? p->b + first : p->b + first * p->depth;
    out->b_step = p->step ? p->step : packed_step(p, index);
    return first;
}
