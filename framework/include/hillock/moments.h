/* hillock/moments.h - for plugins in C: normalization by mean and variance. Optional, like kernel.h;
 * imports nothing but libm.
 *
 * Moments are per channel. For a group of C channels of n rows each, with mean_c and m2_c,
 *     mean = sum mean_c / C     m2 = sum (m2_c + n (mean_c - mean)^2)     (Chan et al. 1979)
 * and y_c = gamma_c (x - mean) r + beta_c with r = 1 / sqrt(m2 / (n C) + eps). A group may be a
 * single channel. A group of one number has no variance: y = beta, dx = 0. */
#pragma once
#include <hillock/kernel.h>

/* The first two slots of a normalization with scale and shift. */
enum { HK_GAMMA, HK_BETA };
#define HK_GAMMA_SLOT                                                                              \
    {                                                                                              \
        .name = "gamma", .doc = "scale", .role = HK_LEARNED, .extent = HK_PER_CHANNEL,             \
        .flags = HK_NO_DECAY, .value = 1                                                           \
    }
#define HK_BETA_SLOT                                                                               \
    {                                                                                              \
        .name = "beta", .doc = "shift", .role = HK_LEARNED, .extent = HK_PER_CHANNEL,              \
        .flags = HK_NO_DECAY                                                                       \
    }
#define HK_EPS_PARAM(default_)                                                                     \
    {                                                                                              \
        .name = "eps", .doc = "added to the variance", .type = HK_REAL, .flags = HK_LOW_OPEN,      \
        .value = default_, .low = 0, .high = 1                                                     \
    }

typedef struct hks_group {
    int64_t first, end; /* its channels */
    double count;       /* numbers in it */
    double mean, r;
} hks_group;

HK_INLINE hks_group hks_group_of(const hk_moments *seen, int64_t first, int64_t end, double eps)
{
    hks_group g = {.first = first, .end = end, .count = (double)((end - first) * seen->rows)};
    double m2 = 0;
    for (int64_t j = first; j < end; j++)
        g.mean += seen->mean[j];
    g.mean /= (double)(end - first);
    for (int64_t j = first; j < end; j++) {
        double away = seen->mean[j] - g.mean;
        m2 += seen->m2[j] + (double)seen->rows * away * away;
    }
    g.r = g.count > 1 ? 1 / sqrt(m2 / g.count + eps) : 0;
    return g;
}

/* y = coef[0] x + coef[1]. gamma and beta may be NULL: 1 and 0. */
HK_INLINE void hks_group_coefficients(const hk_context *context, const hks_group *g,
                                      const float *gamma, const float *beta, float *coef)
{
    for (int64_t j = g->first; j < g->end; j++) {
        double scale = gamma ? (double)gamma[j] * g->r : g->r;
        double shift = beta ? (double)beta[j] : 0;
        coef[j] = (float)scale;
        coef[context->channels + j] = (float)(shift - g->mean * scale);
    }
}

/* dx = r (gh - mean(gh) - xh mean(gh xh)) with gh = gamma dy, xh = (x - mean) r; the sums passed in are
 * around the mean of each channel. dgamma and dbeta may be NULL. */
HK_INLINE void hks_group_gradient(const hk_context *context, const hks_group *g,
                                  const hk_moments *seen, const float *gamma, const double *sum_dy,
                                  const double *sum_dyx, float *bcoef, float *dgamma, float *dbeta)
{
    const int64_t channels = context->channels;
    double sum = 0, sum_x = 0; /* of gh and gh (x - mean) */
    for (int64_t j = g->first; j < g->end; j++) {
        double dyx = sum_dyx[j] + (seen->mean[j] - g->mean) * sum_dy[j];
        double scale = gamma ? (double)gamma[j] : 1;
        sum += scale * sum_dy[j];
        sum_x += scale * dyx;
        bcoef[j] = (float)(scale * g->r);
        if (dgamma)
            dgamma[j] += (float)(dyx * g->r);
        if (dbeta)
            dbeta[j] += (float)sum_dy[j];
    }
    const double slope = -g->r * g->r * g->r * sum_x / g->count;
    const double shift = -g->r * sum / g->count - slope * g->mean;
    for (int64_t j = g->first; j < g->end; j++) {
        bcoef[channels + j] = (float)slope;
        bcoef[2 * channels + j] = (float)shift;
    }
}

/* Mean of x^2 over channels first .. end - 1. */
HK_INLINE double hks_mean_square(const hk_moments *seen, int64_t first, int64_t end)
{
    double sum = 0;
    for (int64_t j = first; j < end; j++)
        sum += seen->m2[j] / (double)seen->rows + seen->mean[j] * seen->mean[j];
    return sum / (double)(end - first);
}

/* Sum of dy x of a channel, from the sum of dy (x - mean). */
HK_INLINE double hks_sum_around_0(const hk_moments *seen, const double *sum_dy,
                                  const double *sum_dyx, int64_t j)
{
    return sum_dyx[j] + seen->mean[j] * sum_dy[j];
}

/* Exponential moving average: running += share (now - running). */
HK_INLINE void hks_average(float *running, double now, double share)
{
    *running = (float)((double)*running + share * (now - (double)*running));
}

/* ---- Columns of a weight -------------------------------------------------------------------------
 * A column of a weight w[rows x channels] is an output unit. Columns are processed in blocks of at most
 * HK_COLUMNS, first .. first + width - 1, whose sums fit in local arrays of doubles. */

enum { HK_COLUMNS = 256 };
HK_INLINE int64_t hks_column_width(int64_t first, int64_t channels)
{
    return channels - first < HK_COLUMNS ? channels - first : HK_COLUMNS;
}

/* dots[j] = sum of a b over column first + j; b may be NULL: 1. */
HK_INLINE void hks_column_dots(int64_t rows, int64_t channels, int64_t first, int64_t width,
                               const float *a, const float *b, double *dots)
{
    memset(dots, 0, (size_t)width * sizeof *dots);
    for (int64_t at = first; at < rows * channels; at += channels) {
        HK_VECTORIZE
        for (int64_t j = 0; j < width; j++)
            dots[j] += (double)a[at + j] * (b ? (double)b[at + j] : 1);
    }
}

/* Mean and sum (w - mean)^2 of each column. */
HK_INLINE void hks_column_moments(int64_t rows, int64_t channels, int64_t first, int64_t width,
                                  const float *w, double *mean, double *m2)
{
    hks_column_dots(rows, channels, first, width, w, NULL, mean);
    memset(m2, 0, (size_t)width * sizeof *m2);
    for (int64_t j = 0; j < width; j++)
        mean[j] /= (double)rows;
    for (int64_t at = first; at < rows * channels; at += channels) {
        HK_VECTORIZE
        for (int64_t j = 0; j < width; j++) {
            const double away = (double)w[at + j] - mean[j];
            m2[j] += away * away;
        }
    }
}
