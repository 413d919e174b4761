/* batch.h - what the faulty normalizations share: batch_norm without gamma and beta, of which a file
 * replaces the part that it gets wrong. */
#pragma once
#include "zoo.h"

#define NORM(...)                                                                                  \
    static const hk_normalization norm = {.n_coef = 2, __VA_ARGS__};                               \
    HK_BUNDLE({HK_NORMALIZATION_ROW(animal), .normalization = &norm, WORDS_AND_SLOTS})
#ifdef RUNNING /* defined by those that learn running statistics */
HK_SLOTS({.name = "mean",
          .doc = "average of the batches' means",
          .role = HK_STATE,
          .extent = HK_PER_CHANNEL},
         {.name = "variance",
          .doc = "average of the batches' unbiased variances",
          .role = HK_STATE,
          .extent = HK_PER_CHANNEL,
          .value = 1});
#define WORDS_AND_SLOTS WORDS, .slots = slots
#else
#define WORDS_AND_SLOTS WORDS
#endif

HK_INLINE hk_domain over_batch(const hk_context *context)
{
    return (void)context, HK_OVER_BATCH;
}

/* n: the numbers of the set. */
HK_INLINE void scale_and_shift(const hk_context *context, const hk_moments *seen, int64_t n,
                               float *coef)
{
    for (int64_t j = 0; j < context->channels; j++) {
        coef[j] = (float)(1 / sqrt(seen->m2[j] / (double)n + 1e-5));
        coef[context->channels + j] = (float)(-seen->mean[j] * (double)coef[j]);
    }
}

HK_INLINE void batch_coefficients(const hk_context *context, const hk_moments *seen, float *coef)
{
    scale_and_shift(context, seen, seen->rows, coef);
}

/* sum_dy NULL: as if it were 0. */
HK_INLINE void walk_back(const hk_context *context, const float *coef, const hk_moments *seen,
                         const double *sum_dy, const double *sum_dyx, float *bcoef)
{
    for (int64_t j = 0; j < context->channels; j++) {
        const double n = seen ? (double)seen->rows : 1, scale = (double)coef[j];
        const double slope = seen ? -scale * scale * scale * sum_dyx[j] / n : 0;
        const double mean_dy = sum_dy ? sum_dy[j] / n : 0;
        bcoef[j] = coef[j];
        bcoef[context->channels + j] = (float)slope;
        bcoef[2 * context->channels + j] =
            seen ? (float)(-scale * mean_dy - slope * seen->mean[j]) : 0;
    }
}

HK_INLINE void batch_gradient(const hk_context *context, const float *coef, const hk_moments *seen,
                              const double *sum_dy, const double *sum_dyx, float *bcoef,
                              float *const *dslots)
{
    (void)dslots;
    walk_back(context, coef, seen, sum_dy, sum_dyx, bcoef);
}

/* Evaluation with this variance of the running ones. */
HK_INLINE void freeze(const hk_context *context, int64_t j, double variance, float *coef)
{
    coef[j] = (float)(1 / sqrt(variance));
    coef[context->channels + j] = -context->slots[0][j] * coef[j];
}

/* n: what the variance is divided by. */
HK_INLINE void learn(const hk_context *context, const hk_moments *seen, int64_t n)
{
    for (int64_t j = 0; j < context->channels; j++) {
        const float variance = (float)(seen->m2[j] / (double)(n > 1 ? n : 1));
        context->slots[0][j] += 0.1f * ((float)seen->mean[j] - context->slots[0][j]);
        context->slots[1][j] += 0.1f * (variance - context->slots[1][j]);
    }
}
