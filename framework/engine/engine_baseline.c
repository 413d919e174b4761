/* The kernels for what every processor of the architecture has: vectors of 4 floats. */
#if !defined(__aarch64__) /* has engine_neon.c */
#include "engine/kernels.h"

#include <hillock/kernel.h>
#include <math.h>
#include <string.h>

#include "engine/contract.h"

#define KERNELS hki_kernels_baseline
#define LANES 4
#define FEW_ROWS 3
#define MOST_ROWS_OF 1, 8, 6, 4, 3
/* clang-format off */
#define EACH_BLOCK(F)                                                                              \
    F(1, 1) F(2, 1) F(3, 1) F(4, 1) F(5, 1) F(6, 1) F(7, 1) F(8, 1)                                \
    F(1, 2) F(2, 2) F(3, 2) F(4, 2) F(5, 2) F(6, 2)                                                \
    F(1, 3) F(2, 3) F(3, 3) F(4, 3)                                                                \
    F(1, 4) F(2, 4) F(3, 4)
/* clang-format on */

#include "engine/lanes.h"

static inline vec fused(float a, vec b, vec c)
{
#if defined(__FP_FAST_FMAF) || defined(__FMA__)
    for (int i = 0; i < LANES; i++)
        c[i] = fmaf(a, b[i], c[i]);
    return c;
#else
    return a * b + c;
#endif
}

static inline vec root(vec v)
{
    for (int i = 0; i < LANES; i++)
        v[i] = sqrtf(v[i]);
    return v;
}

#include "engine/kernels_template.h"
#else
typedef int hki_not_baseline; /* a source file needs a declaration */
#endif
