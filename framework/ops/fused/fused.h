/* ops/fused/fused.h - convolution, normalization, addition and activation as one step of a plan. */
#pragma once
#include "ops/ops.h"

/* The operations of a fused step as they were recorded, NULL where there is none. The fused tensor
 * has the inputs of all of them: x, filters and bias of the convolution (or x alone), the residual,
 * the slots of the normalization, those of the activation. */
typedef struct hki_fused {
    const hk_tensor *conv, *norm, *add, *act;
    int residual, norm_slots, act_slots; /* where these inputs begin */
    bool has_backward;                   /* what backward reads must be saved */
    bool spends_dy;                      /* backward may overwrite dy */
} hki_fused;

const hki_fused *hki_fused_of(const hk_tensor *tensor); /* NULL: not fused */

/* What is packed begins with this where a normalization is folded into the filters, so that
 * a step need not find where the rest lies (fold.c). For other convolutions it is what the
 * engine makes of the filters. */
typedef struct hki_folded {
    float *filters, *bias, *coef;
    void *engine; /* what the engine makes of the filters; NULL: nothing */
} hki_folded;
bool hki_fused_folds(const hki_fused *fused);
size_t hki_fused_packed_bytes(const hk_tensor *y, int64_t batch);
void hki_fused_pack(const hki_call *call, void *packed);

/* Sums that one part of the rows, or one set of a normalization, has of its own (sums.c): two
 * per channel in double, mean and m2, or the sums of dz and dz (x - mean). */
typedef struct hki_sums {
    double *first, *second;
    float *tile;  /* room for [3][channels] of one tile */
    int64_t rows; /* that were added */
} hki_sums;
/* A tile of n rows joins: its moments; its sums of dz around a mean; its sums of dz alone. */
void hki_sums_moments(hki_sums *own, int64_t n, int64_t channels, const float *x);
void hki_sums_gradients(hki_sums *own, int64_t n, int64_t channels, const float *x,
                        const double *mean, const float *dz);
void hki_sums_columns(hki_sums *own, int64_t n, int64_t channels, const float *dz);
/* The moments of `more` rows join those of n, which may be none. */
void hki_join_moments(int64_t n, int64_t more, double *mean, double *m2, double more_mean,
                      double more_m2);
/* Those of HKI_MAX_CHUNKS parts, in their order, become one [2][channels]. */
void hki_merge_moments(const hki_sums *parts, int64_t channels, double *moments);
void hki_add_sums(const hki_sums *parts, int64_t channels, double *sums);
