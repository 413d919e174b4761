/* train/unit.h - statistics of units: of a tile of rows, and how those of several tiles are merged. */
#pragma once
#include <stdint.h>

/* One unit of a layer: a channel, over all samples and positions so far. y is the output of
 * the activation, x what goes into it. While sums are taken, the shares and mean_abs are sums, the
 * variances those of squared distances from the mean. */
typedef struct hki_unit {
    double max, min;                         /* the largest and the smallest y */
    double mean, variance, mean_abs;         /* of y, y and |y| */
    double zeros;                            /* share of y that is 0 exactly (APoZ) */
    double saturated;                        /* share of y within 0.05 of an asymptote */
    double slope;                            /* the largest |f'(x)|; NAN: f mixes channels */
    double x_max, x_min, x_mean, x_variance; /* NAN: there are more or fewer x than y */
} hki_unit;

/* The sums of nothing. */
void hki_units_clear(hki_unit *units, int64_t n);
/* The sums of n rows with those of k more. */
void hki_unit_merge(hki_unit *sum, double n, const hki_unit *more, double k);
/* Mean and squared distances of n numbers with those of k more (Chan, Golub, LeVeque 1979). */
void hki_moments_merge(double *mean, double *m2, double n, double more_mean, double more_m2,
                       double k);

/* Where a thread adds up a tile: arrays of [columns], which are some rows side by side, so that few
 * channels make long loops, too. */
typedef struct hki_unit_scratch {
    float *max, *min, *total, *zeros, *saturated, *mean, *m2;
} hki_unit_scratch;
enum { HKI_UNIT_ARRAYS = 7 };
int64_t hki_unit_columns(int64_t channels);
/* In floats[HKI_UNIT_ARRAYS][columns]; more columns than a layer has are fine. */
hki_unit_scratch hki_unit_scratch_in(float *floats, int64_t columns);

/* The sums of a tile y [rows x channels], outputs below `low` or above `high` saturated: the
 * members that speak of y. Then those that speak of x, and of its slopes dx, the latter where
 * chosen[channel] > 0; NULL: everywhere. */
void hki_units_from_outputs(hki_unit *units, int64_t rows, int64_t channels, const float *y,
                            float low, float high, const hki_unit_scratch *scratch);
void hki_units_add_inputs(hki_unit *units, int64_t rows, int64_t channels, const float *x,
                          const hki_unit_scratch *scratch);
void hki_units_add_slopes(hki_unit *units, int64_t rows, int64_t channels, const float *dx,
                          const float *chosen, const hki_unit_scratch *scratch);
