/* Sums of units over tiles of rows. */
#include "train/unit.h"

#include <math.h>

#include "engine/kernels.h"

static double larger(double a, double b)
{
    return b > a ? b : a;
}

static double smaller(double a, double b)
{
    return b < a ? b : a;
}

void hki_moments_join(double *mean, double *m2, double n, double more_mean, double more_m2,
                      double k)
{
    double away = more_mean - *mean, share = k / (n + k);
    *mean += away * share;
    *m2 += more_m2 + away * away * n * share;
}

void hki_unit_join(hki_unit *sum, double n, const hki_unit *more, double k)
{
    sum->most = larger(sum->most, more->most);
    sum->least = smaller(sum->least, more->least);
    hki_moments_join(&sum->mean, &sum->variance, n, more->mean, more->variance, k);
    sum->mean_abs += more->mean_abs;
    sum->zeros += more->zeros;
    sum->saturated += more->saturated;
    sum->slope = larger(sum->slope, more->slope);
    sum->x_most = larger(sum->x_most, more->x_most);
    sum->x_least = smaller(sum->x_least, more->x_least);
    hki_moments_join(&sum->x_mean, &sum->x_variance, n, more->x_mean, more->x_variance, k);
}

void hki_units_forget(hki_unit *units, int64_t n)
{
    const double all = (double)INFINITY;
    for (int64_t i = 0; i < n; i++)
        units[i] = (hki_unit){.most = -all, .least = all, .x_most = -all, .x_least = all};
}

/* ---- A tile -------------------------------------------------------------------------------------- */

int64_t hki_unit_columns(int64_t channels)
{
    return channels * (channels < 64 ? 64 / channels : 1);
}

hki_unit_room hki_unit_room_of(float *floats, int64_t columns)
{
    float *at[HKI_UNIT_ARRAYS];
    for (int i = 0; i < HKI_UNIT_ARRAYS; i++)
        at[i] = floats + i * columns;
    return (hki_unit_room){at[0], at[1], at[2], at[3], at[4], at[5], at[6]};
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

static void extremes_of_row(int64_t n, const float *restrict v, float *restrict most,
                            float *restrict least)
{
    for (int64_t j = 0; j < n; j++) {
        most[j] = v[j] > most[j] ? v[j] : most[j];
        least[j] = v[j] < least[j] ? v[j] : least[j];
    }
}

static void find_extremes(const wide *t, const hki_unit_room *at)
{
    for (int64_t j = 0; j < t->columns; j++) {
        at->most[j] = -INFINITY;
        at->least[j] = INFINITY;
    }
    for (int64_t r = 0; r <= t->rows; r++)
        extremes_of_row(r < t->rows ? t->columns : t->rest, t->v + r * t->columns, at->most,
                        at->least);
    for (int64_t j = t->channels; j < t->columns; j++) {
        int64_t i = j % t->channels;
        at->most[i] = at->most[j] > at->most[i] ? at->most[j] : at->most[i];
        at->least[i] = at->least[j] < at->least[i] ? at->least[j] : at->least[i];
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

static void find_counts(const wide *t, float low, float high, const hki_unit_room *at)
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

void hki_units_of_outputs(hki_unit *units, int64_t rows, int64_t channels, const float *y,
                          float low, float high, const hki_unit_room *room)
{
    wide tile = widen(y, rows, channels);
    find_extremes(&tile, room);
    find_counts(&tile, low, high, room);
    hki_kernels_active()->moments(rows, channels, y, room->mean, room->m2);
    for (int64_t j = 0; j < channels; j++)
        units[j] = (hki_unit){.most = (double)room->most[j],
                              .least = (double)room->least[j],
                              .mean = (double)room->mean[j],
                              .variance = (double)room->m2[j],
                              .mean_abs = (double)room->total[j],
                              .zeros = (double)room->zeros[j],
                              .saturated = (double)room->saturated[j]};
}

void hki_units_see_inputs(hki_unit *units, int64_t rows, int64_t channels, const float *x,
                          const hki_unit_room *room)
{
    wide tile = widen(x, rows, channels);
    find_extremes(&tile, room);
    hki_kernels_active()->moments(rows, channels, x, room->mean, room->m2);
    for (int64_t j = 0; j < channels; j++) {
        units[j].x_most = (double)room->most[j];
        units[j].x_least = (double)room->least[j];
        units[j].x_mean = (double)room->mean[j];
        units[j].x_variance = (double)room->m2[j];
    }
}

void hki_units_see_slopes(hki_unit *units, int64_t rows, int64_t channels, const float *dx,
                          const float *chosen, const hki_unit_room *room)
{
    wide tile = widen(dx, rows, channels);
    find_extremes(&tile, room);
    for (int64_t j = 0; j < channels; j++)
        if (!chosen || chosen[j] > 0)
            units[j].slope = larger((double)room->most[j], -(double)room->least[j]);
}
