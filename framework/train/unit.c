/* Sums of units over tiles of rows. */
#include "train/unit.h"

#include <math.h>

#include "engine/kernels.h"

static double max_of(double a, double b)
{
    return b > a ? b : a;
}

static double min_of(double a, double b)
{
    return b < a ? b : a;
}

void hki_moments_merge(double *mean, double *m2, double n, double more_mean, double more_m2,
                       double k)
{
    double away = more_mean - *mean, share = k / (n + k);
    *mean += away * share;
    *m2 += more_m2 + away * away * n * share;
}

void hki_unit_merge(hki_unit *sum, double n, const hki_unit *more, double k)
{
    sum->max = max_of(sum->max, more->max);
    sum->min = min_of(sum->min, more->min);
    hki_moments_merge(&sum->mean, &sum->variance, n, more->mean, more->variance, k);
    sum->mean_abs += more->mean_abs;
    sum->zeros += more->zeros;
    sum->saturated += more->saturated;
    sum->slope = max_of(sum->slope, more->slope);
    sum->x_max = max_of(sum->x_max, more->x_max);
    sum->x_min = min_of(sum->x_min, more->x_min);
    hki_moments_merge(&sum->x_mean, &sum->x_variance, n, more->x_mean, more->x_variance, k);
}

void hki_units_clear(hki_unit *units, int64_t n)
{
    const double all = (double)INFINITY;
    for (int64_t i = 0; i < n; i++)
        units[i] = (hki_unit){.max = -all, .min = all, .x_max = -all, .x_min = all};
}

/* ---- A tile -------------------------------------------------------------------------------------- */

int64_t hki_unit_columns(int64_t channels)
{
    return channels * (channels < 64 ? 64 / channels : 1);
}

hki_unit_scratch hki_unit_scratch_in(float *floats, int64_t columns)
{
    float *at[HKI_UNIT_ARRAYS];
    for (int i = 0; i < HKI_UNIT_ARRAYS; i++)
        at[i] = floats + i * columns;
    return (hki_unit_scratch){at[0], at[1], at[2], at[3], at[4], at[5], at[6]};
}

/* A tile [rows x channels] as rows of columns; the last of them may be shorter. */
typedef struct wide {
    int64_t rows, columns, rest, channels;
    const float *v;
} wide;

static wide widen(const float *v, int64_t rows, int64_t channels)
{
    int64_t columns = hki_unit_columns(channels), count = rows * channels;
    return (wide){count / columns, columns, count % columns, channels, v};
}

static void extremes_of_row(int64_t n, const float *restrict v, float *restrict max,
                            float *restrict min)
{
    for (int64_t j = 0; j < n; j++) {
        max[j] = v[j] > max[j] ? v[j] : max[j];
        min[j] = v[j] < min[j] ? v[j] : min[j];
    }
}

static void find_extremes(const wide *t, const hki_unit_scratch *at)
{
    for (int64_t j = 0; j < t->columns; j++) {
        at->max[j] = -INFINITY;
        at->min[j] = INFINITY;
    }
    for (int64_t r = 0; r <= t->rows; r++)
        extremes_of_row(r < t->rows ? t->columns : t->rest, t->v + r * t->columns, at->max,
                        at->min);
    for (int64_t j = t->channels; j < t->columns; j++) {
        int64_t i = j % t->channels;
        at->max[i] = at->max[j] > at->max[i] ? at->max[j] : at->max[i];
        at->min[i] = at->min[j] < at->min[i] ? at->min[j] : at->min[i];
    }
}

static void counts_of_row(int64_t n, const float *restrict v, float low, float high,
                          float *restrict total, float *restrict zeros, float *restrict saturated)
{
    for (int64_t j = 0; j < n; j++) {
        total[j] += fabsf(v[j]);
        zeros[j] += v[j] == 0 ? 1.0f : 0.0f;
        saturated[j] += v[j] < low || v[j] > high ? 1.0f : 0.0f;
    }
}

static void find_counts(const wide *t, float low, float high, const hki_unit_scratch *at)
{
    for (int64_t j = 0; j < t->columns; j++)
        at->total[j] = at->zeros[j] = at->saturated[j] = 0;
    for (int64_t r = 0; r <= t->rows; r++)
        counts_of_row(r < t->rows ? t->columns : t->rest, t->v + r * t->columns, low, high,
                      at->total, at->zeros, at->saturated);
    for (int64_t j = t->channels; j < t->columns; j++) {
        at->total[j % t->channels] += at->total[j];
        at->zeros[j % t->channels] += at->zeros[j];
        at->saturated[j % t->channels] += at->saturated[j];
    }
}

void hki_units_from_outputs(hki_unit *units, int64_t rows, int64_t channels, const float *y,
                            float low, float high, const hki_unit_scratch *scratch)
{
    wide tile = widen(y, rows, channels);
    find_extremes(&tile, scratch);
    find_counts(&tile, low, high, scratch);
    hki_kernels_active()->moments(rows, channels, y, scratch->mean, scratch->m2);
    for (int64_t j = 0; j < channels; j++)
        units[j] = (hki_unit){.max = (double)scratch->max[j],
                              .min = (double)scratch->min[j],
                              .mean = (double)scratch->mean[j],
                              .variance = (double)scratch->m2[j],
                              .mean_abs = (double)scratch->total[j],
                              .zeros = (double)scratch->zeros[j],
                              .saturated = (double)scratch->saturated[j]};
}

void hki_units_add_inputs(hki_unit *units, int64_t rows, int64_t channels, const float *x,
                          const hki_unit_scratch *scratch)
{
    wide tile = widen(x, rows, channels);
    find_extremes(&tile, scratch);
    hki_kernels_active()->moments(rows, channels, x, scratch->mean, scratch->m2);
    for (int64_t j = 0; j < channels; j++) {
        units[j].x_max = (double)scratch->max[j];
        units[j].x_min = (double)scratch->min[j];
        units[j].x_mean = (double)scratch->mean[j];
        units[j].x_variance = (double)scratch->m2[j];
    }
}

void hki_units_add_slopes(hki_unit *units, int64_t rows, int64_t channels, const float *dx,
                          const float *chosen, const hki_unit_scratch *scratch)
{
    wide tile = widen(dx, rows, channels);
    find_extremes(&tile, scratch);
    for (int64_t j = 0; j < channels; j++)
        if (!chosen || chosen[j] > 0)
            units[j].slope = max_of((double)scratch->max[j], -(double)scratch->min[j]);
}
