/* The kernels for AVX2 with FMA: 16 registers of 8 floats. See engine_avx512.c. */
#if defined(__x86_64__)
#include "engine/kernels.h"

#include <hillock/kernel.h>
#include <immintrin.h>
#include <math.h>
#include <string.h>

#include "engine/contract.h"
#ifdef __clang__
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#else
#pragma GCC target("avx2,fma")
#endif

#define KERNELS hki_kernels_avx2
#define LANES 8
#define FEW_ROWS 3
#define MOST_ROWS_OF 1, 12, 6, 4, 3
/* clang-format off */
#define EACH_BLOCK(F)                                                                              \
    F(1, 1) F(2, 1) F(3, 1) F(4, 1) F(5, 1) F(6, 1)                                                \
    F(7, 1) F(8, 1) F(9, 1) F(10, 1) F(11, 1) F(12, 1)                                             \
    F(1, 2) F(2, 2) F(3, 2) F(4, 2) F(5, 2) F(6, 2)                                                \
    F(1, 3) F(2, 3) F(3, 3) F(4, 3)                                                                \
    F(1, 4) F(2, 4) F(3, 4)
/* clang-format on */

typedef float vec __attribute__((vector_size(LANES * 4)));

static inline __m256i first_lanes(int n)
{
    return _mm256_cmpgt_epi32(_mm256_set1_epi32(n), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}

static inline vec load_part(const float *p, int n)
{
    return (vec)_mm256_maskload_ps(p, first_lanes(n));
}

static inline void store_part(float *p, vec v, int n)
{
    _mm256_maskstore_ps(p, first_lanes(n), (__m256)v);
}

static inline vec fused(float a, vec b, vec c)
{
    return (vec)_mm256_fmadd_ps(_mm256_set1_ps(a), (__m256)b, (__m256)c);
}

static inline vec root(vec v)
{
    return (vec)_mm256_sqrt_ps((__m256)v);
}

#include "engine/kernels_template.h"

#ifdef __clang__
#pragma clang attribute pop
#endif
#else
typedef int hki_not_x86; /* a source file needs a declaration */
#endif
