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
#include "engine/blocks_32.h"

#include "engine/lanes.h"

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
