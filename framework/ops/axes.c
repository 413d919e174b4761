/* Sums along axes and their opposite, repetition; the only place that thinks about broadcasting
 * strides. Sums are double and their order depends on shapes alone. */
#include "ops/ops.h"

#include <string.h>

#include "engine/kernels.h"

bool hki_broadcasts_to(const hk_shape *small, const hk_shape *big)
{
    if (small->ndim > big->ndim)
        return false;
    for (int i = 1; i <= small->ndim; i++) {
        int64_t have = small->dims[small->ndim - i];
        if (have != 1 && have != big->dims[big->ndim - i])
            return false;
    }
    return true;
}

hki_aligned hki_align(const hk_shape *big, const hk_shape *small, int64_t batch)
{
    hki_aligned a = {.ndim = big->ndim, .big_count = 1, .small_count = 1};
    for (int i = big->ndim - 1; i >= 0; i--) {
        int j = i - (big->ndim - small->ndim);
        int64_t extent = j >= 0 ? small->dims[j] : 1;
        a.big[i] = big->dims[i] == HK_BATCH ? batch : big->dims[i];
        a.small[i] = extent == HK_BATCH ? batch : extent;
        a.stride[i] = a.small[i] > 1 ? a.small_count : 0;
        a.small_count *= a.small[i];
        a.big_count *= a.big[i];
    }
    return a;
}

int64_t hki_row_at(const hki_aligned *a, int64_t row)
{
    int64_t at = 0;
    for (int i = a->ndim - 2; i >= 0; i--) {
        at += row % a->big[i] * a->stride[i];
        row /= a->big[i];
    }
    return at;
}

/* Neighbouring axes joined to blocks x rows x columns, of which the rows are reduced. */
typedef struct middle {
    int64_t blocks, rows, columns;
} middle;

/* False where the reduced axes are not neighbours. */
static bool reduces_middle(const hki_aligned *a, middle *out)
{
    int i = 0;
    *out = (middle){1, 1, 1};
    for (; i < a->ndim && a->small[i] == a->big[i]; i++)
        out->blocks *= a->big[i];
    for (; i < a->ndim && a->small[i] == 1; i++)
        out->rows *= a->big[i];
    for (; i < a->ndim && a->small[i] == a->big[i]; i++)
        out->columns *= a->big[i];
    return i == a->ndim;
}

size_t hki_sum_scratch(const hk_shape *big, const hk_shape *small, int64_t batch)
{
    hki_aligned a = hki_align(big, small, batch);
    return hki_engine_active()->column_sums_scratch(a.big_count / a.small_count, a.small_count);
}

/* Of a run of x: the i-th of SUM_RUN elements each. */
enum { SUM_RUN = 4096 };
typedef struct run {
    const float *x;
    int64_t n;
} run;

static double sum_of_run(const void *context, int64_t i)
{
    const run *r = context;
    return hki_kernels_active()->sum(hki_min(SUM_RUN, r->n - i * SUM_RUN), r->x + i * SUM_RUN);
}

/* Each block's rows, by themselves. */
static void sum_blocks(const middle *m, double scale, const float *x, float *out)
{
    const hki_kernels *kernels = hki_kernels_active();
#pragma omp parallel for num_threads(hki_threads_for((m->blocks * m->rows * m->columns)))          \
    schedule(static)
    for (int64_t i = 0; i < m->blocks; i++) {
        const float *from = x + i * m->rows * m->columns;
        float *to = out + i * m->columns;
        if (m->columns == 1)
            *to = (float)kernels->sum(m->rows, from);
        else
            kernels->column_sums(m->rows, m->columns, from, m->columns, to);
        for (int64_t j = 0; scale != 1 && j < m->columns; j++)
            to[j] = (float)(scale * (double)to[j]);
    }
}

/* Sum over everything that maps to one element of small, walking big like an odometer. */
static double sum_of_one(const hki_aligned *a, int64_t element, const float *x)
{
    int64_t index[HK_MAX_DIMS] = {0}, start = 0, stride = 1, strides[HK_MAX_DIMS];
    for (int i = a->ndim - 1; i >= 0; i--) {
        int64_t at = a->stride[i] ? element / a->stride[i] % a->small[i] : 0;
        strides[i] = stride;
        start += at * stride;
        stride *= a->big[i];
    }
    double sum = 0;
    for (int64_t offset = start;;) {
        sum += (double)x[offset];
        int i = a->ndim - 1;
        for (; i >= 0; i--) {
            if (a->small[i] == a->big[i])
                continue;
            offset += strides[i];
            if (++index[i] < a->big[i])
                break;
            offset -= a->big[i] * strides[i];
            index[i] = 0;
        }
        if (i < 0)
            return sum;
    }
}

void hki_sum_to(const hk_shape *big, const hk_shape *small, int64_t batch, double scale,
                const float *x, float *out, void *scratch)
{
    hki_aligned a = hki_align(big, small, batch);
    middle m;
    const bool is_middle = reduces_middle(&a, &m);
    if (a.small_count == 1) {
        run all = {x, a.big_count};
        *out = (float)(scale * hki_sum_terms(hki_ceil(all.n, SUM_RUN), SUM_RUN, sum_of_run, &all));
    } else if (is_middle && m.blocks > 1) {
        sum_blocks(&m, scale, x, out);
    } else if (is_middle) {
        hki_engine_active()->column_sums(m.rows, m.columns, x, out, scratch);
        for (int64_t i = 0; scale != 1 && i < a.small_count; i++)
            out[i] = (float)(scale * (double)out[i]);
    } else {
#pragma omp parallel for num_threads(hki_threads_for(a.big_count)) schedule(static)
        for (int64_t i = 0; i < a.small_count; i++)
            out[i] = (float)(scale * sum_of_one(&a, i, x));
    }
}

void hki_spread_to(const hk_shape *small, const hk_shape *big, int64_t batch, float scale,
                   const float *x, float *out)
{
    hki_aligned a = hki_align(big, small, batch);
    middle m;
    if (reduces_middle(&a, &m)) { /* each block's row as often as it has rows */
        bool fills = m.columns == 1;
        int64_t rows = fills ? m.blocks : m.blocks * m.rows, n = fills ? m.rows : m.columns;
#pragma omp parallel for num_threads(hki_threads_for((rows * n))) schedule(static)
        for (int64_t r = 0; r < rows; r++) {
            const float *from = x + (fills ? r : r / m.rows * m.columns);
            float *to = out + r * n, value = scale * *from;
            for (int64_t j = 0; fills && j < n; j++)
                to[j] = value;
            for (int64_t j = 0; !fills && j < n; j++)
                to[j] = scale * from[j];
        }
        return;
    }
    int64_t row = a.big[a.ndim - 1], step = a.stride[a.ndim - 1];
#pragma omp parallel for num_threads(hki_threads_for(a.big_count)) schedule(static)
    for (int64_t r = 0; r < a.big_count / row; r++) {
        const float *from = x + hki_row_at(&a, r);
        for (int64_t j = 0; j < row; j++)
            out[r * row + j] = scale * from[j * step];
    }
}
