/* What fused steps add up while they go over tiles.
 *
 * Moments are exact two-pass moments of tiles, merged in double by the formula of Chan, Golub and
 * LeVeque 1979, so that a large mean costs no digits. */
#include "ops/fused/fused.h"

#include <string.h>

#include "engine/kernels.h"

static void clear_first(hki_sums *own, int64_t channels)
{
    if (own->rows == 0) {
        memset(own->first, 0, sizeof(double) * (size_t)channels);
        memset(own->second, 0, sizeof(double) * (size_t)channels);
    }
}

/* How the moments of `more` rows join those of n. */
typedef struct merging {
    double share, weight;
} merging;

static merging merging_of(int64_t n, int64_t more)
{
    double share = (double)more / (double)(n + more);
    return (merging){share, (double)n * share};
}

static inline void merge(merging m, double *mean, double *m2, double more_mean, double more_m2)
{
    double delta = more_mean - *mean;
    *mean += delta * m.share;
    *m2 += more_m2 + delta * delta * m.weight;
}

void hki_join_moments(int64_t n, int64_t more, double *mean, double *m2, double more_mean,
                      double more_m2)
{
    merge(merging_of(n, more), mean, m2, more_mean, more_m2);
}

void hki_sums_moments(hki_sums *own, int64_t n, int64_t channels, const float *x)
{
    float *mean = own->tile, *m2 = mean + channels;
    merging m = merging_of(own->rows, n);
    clear_first(own, channels);
    hki_kernels_active()->moments(n, channels, x, mean, m2);
    for (int64_t i = 0; i < channels; i++)
        merge(m, &own->first[i], &own->second[i], (double)mean[i], (double)m2[i]);
    own->rows += n;
}

void hki_sums_gradients(hki_sums *own, int64_t n, int64_t channels, const float *x,
                        const double *mean, const float *dz)
{
    float *sum = own->tile, *product = sum + channels, *centre = product + channels;
    clear_first(own, channels);
    for (int64_t i = 0; i < channels; i++)
        centre[i] = (float)mean[i];
    hki_kernels_active()->gradient_sums(n, channels, x, centre, dz, sum, product);
    for (int64_t i = 0; i < channels; i++) {
        own->first[i] += (double)sum[i];
        own->second[i] += (double)product[i];
    }
    own->rows += n;
}

void hki_sums_columns(hki_sums *own, int64_t n, int64_t channels, const float *dz)
{
    clear_first(own, channels);
    hki_kernels_active()->column_sums(n, channels, dz, channels, own->tile);
    for (int64_t i = 0; i < channels; i++)
        own->first[i] += (double)own->tile[i];
    own->rows += n;
}

void hki_merge_moments(const hki_sums *parts, int64_t channels, double *moments)
{
    int64_t rows = 0;
    double *mean = moments, *m2 = mean + channels;
    memset(moments, 0, 2 * sizeof(double) * (size_t)channels);
    for (int i = 0; i < HKI_MAX_CHUNKS; i++) {
        const hki_sums *part = &parts[i];
        if (part->rows == 0)
            continue;
        merging m = merging_of(rows, part->rows);
        for (int64_t k = 0; k < channels; k++)
            merge(m, &mean[k], &m2[k], part->first[k], part->second[k]);
        rows += part->rows;
    }
}

void hki_add_sums(const hki_sums *parts, int64_t channels, double *sums)
{
    double *first = sums, *second = first + channels;
    memset(sums, 0, 2 * sizeof(double) * (size_t)channels);
    for (int i = 0; i < HKI_MAX_CHUNKS; i++)
        for (int64_t k = 0; parts[i].rows && k < channels; k++) {
            first[k] += parts[i].first[k];
            second[k] += parts[i].second[k];
        }
}
