/* The kernels for aarch64, each of which has these: 32 registers of 4 floats, so the register blocks of
 * engine_avx512.c. */
#if defined(__aarch64__)
#include "engine/kernels.h"

#include <arm_neon.h>
#include <hillock/kernel.h>
#include <math.h>
#include <string.h>

#include "engine/contract.h"

#define KERNELS hki_kernels_neon
#define LANES 4
#define FEW_ROWS 6
#define MOST_ROWS_OF 1, 16, 14, 9, 6
/* clang-format off */
#define EACH_BLOCK(F)                                                                              \
    F(1, 1) F(2, 1) F(3, 1) F(4, 1) F(5, 1) F(6, 1) F(7, 1) F(8, 1)                                \
    F(9, 1) F(10, 1) F(11, 1) F(12, 1) F(13, 1) F(14, 1) F(15, 1) F(16, 1)                         \
    F(1, 2) F(2, 2) F(3, 2) F(4, 2) F(5, 2) F(6, 2) F(7, 2)                                        \
    F(8, 2) F(9, 2) F(10, 2) F(11, 2) F(12, 2) F(13, 2) F(14, 2)                                   \
    F(1, 3) F(2, 3) F(3, 3) F(4, 3) F(5, 3) F(6, 3) F(7, 3) F(8, 3) F(9, 3)                        \
    F(1, 4) F(2, 4) F(3, 4) F(4, 4) F(5, 4) F(6, 4)
/* clang-format on */

typedef float vec __attribute__((vector_size(LANES * 4)));

static inline vec load_part(const float *p, int n)
{
    vec v = {0};
    for (int i = 0; i < n; i++)
        v[i] = p[i];
    return v;
}

static inline void store_part(float *p, vec v, int n)
{
    for (int i = 0; i < n; i++)
        p[i] = v[i];
}

static inline vec fused(float a, vec b, vec c)
{
    return (vec)vfmaq_n_f32((float32x4_t)c, (float32x4_t)b, a);
}

static inline vec root(vec v)
{
    return (vec)vsqrtq_f32((float32x4_t)v);
}

#include "engine/kernels_template.h"
#else
typedef int hki_not_aarch64; /* a source file needs a declaration */
#endif
