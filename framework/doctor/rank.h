/* doctor/rank.h - the effective rank of a matrix. */
#pragma once
#include "core/base.h"

/* exp(entropy of s_i / sum s), s the singular values of a[rows x columns]: Roy & Vetterli 2007,
 * "The effective rank: a measure of effective dimensionality". 0 for a matrix of zeros. The same
 * bits for any number of threads. HK_NO_MEMORY. */
hk_status hki_effective_rank(int64_t rows, int64_t columns, const float *a, double *out);
