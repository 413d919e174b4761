/* The kernels for AVX-512: 32 registers of 16 floats. Chosen at run time, so the instruction set
 * is switched on for this file alone, and with it the contraction of a * b + c to one FMA. */
#if defined(__x86_64__)
#include "engine/kernels.h"

#include <hillock/kernel.h>
#include <immintrin.h>
#include <math.h>
#include <string.h>

#include "engine/contract.h"
#ifdef __clang__
#pragma clang attribute push(__attribute__((target("avx512f,avx512vl,avx512bw,avx512dq,fma"))),    \
                             apply_to = function)
#else
#pragma GCC target("avx512f,avx512vl,avx512bw,avx512dq,fma,prefer-vector-width=512")
#endif

#define KERNELS hki_kernels_avx512
#define LANES 16
#include "engine/blocks_32.h"

typedef float vec __attribute__((vector_size(LANES * 4)));

static inline __mmask16 first_lanes(int n)
{
    return (__mmask16)((1u << n) - 1);
}

static inline vec load_part(const float *p, int n)
{
    return (vec)_mm512_maskz_loadu_ps(first_lanes(n), p);
}

static inline void store_part(float *p, vec v, int n)
{
    _mm512_mask_storeu_ps(p, first_lanes(n), (__m512)v);
}

static inline vec fused(float a, vec b, vec c)
{
    return (vec)_mm512_fmadd_ps(_mm512_set1_ps(a), (__m512)b, (__m512)c);
}

static inline vec root(vec v)
{
    return (vec)_mm512_sqrt_ps((__m512)v);
}

#include "engine/kernels_template.h"

#ifdef __clang__
#pragma clang attribute pop
#endif
#else
typedef int hki_not_x86; /* a source file needs a declaration */
#endif
