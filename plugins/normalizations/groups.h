/* Statistics of groups of channels within a sample: what group_norm and layer_norm share.
 *
 * Moments come per channel. For a group of C channels of n rows each, with mean_c and m2_c,
 *     mean = sum mean_c / C     m2 = sum (m2_c + n (mean_c - mean)^2)     (Chan et al. 1979)
 * and y_c = gamma_c (x - mean) r + beta_c with r = 1 / sqrt(m2 / (n C) + eps).
 * A group of a single number has no variance: y = beta, and nothing flows back to x. */
#pragma once
#include <hillock/kernel.h>

enum { GAMMA, BETA };
#define GAMMA_AND_BETA                                                                             \
    {.name = "gamma", .doc = "scale", .role = HK_LEARNED, .extent = HK_PER_CHANNEL,                \
     .flags = HK_NO_DECAY, .value = 1},                                                            \
    {                                                                                              \
        .name = "beta", .doc = "shift", .role = HK_LEARNED, .extent = HK_PER_CHANNEL,              \
        .flags = HK_NO_DECAY                                                                       \
    }

typedef struct group {
    int64_t first, end; /* its channels */
    double count;       /* numbers in it */
    double mean, r;
} group;

HK_INLINE group group_of(const hk_moments *seen, int64_t first, int64_t end, double eps)
{
    group g = {.first = first, .end = end, .count = (double)((end - first) * seen->rows)};
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

HK_INLINE void group_coefficients(const hk_context *context, const group *g, float *coef)
{
    for (int64_t j = g->first; j < g->end; j++) {
        double scale = (double)context->slots[GAMMA][j] * g->r;
        coef[j] = (float)scale;
        coef[context->channels + j] = (float)((double)context->slots[BETA][j] - g->mean * scale);
    }
}

/* dx = r (gh - mean(gh) - xh mean(gh xh)) with gh = gamma dy, xh = (x - mean) r; the given sums
 * are taken around each channel's own mean. */
HK_INLINE void group_gradient(const hk_context *context, const group *g, const hk_moments *seen,
                              const double *sum_dy, const double *sum_dyx, float *bcoef,
                              float *const *dslots)
{
    const float *gamma = context->slots[GAMMA];
    const int64_t channels = context->channels;
    double sum = 0, sum_x = 0; /* of gh and gh (x - mean) */
    for (int64_t j = g->first; j < g->end; j++) {
        double dyx = sum_dyx[j] + (seen->mean[j] - g->mean) * sum_dy[j];
        sum += (double)gamma[j] * sum_dy[j];
        sum_x += (double)gamma[j] * dyx;
        dslots[GAMMA][j] += (float)(dyx * g->r);
        dslots[BETA][j] += (float)sum_dy[j];
    }
    const double slope = -g->r * g->r * g->r * sum_x / g->count;
    const double shift = -g->r * sum / g->count - slope * g->mean;
    for (int64_t j = g->first; j < g->end; j++) {
        bcoef[j] = (float)((double)gamma[j] * g->r);
        bcoef[channels + j] = (float)slope;
        bcoef[2 * channels + j] = (float)shift;
    }
}
