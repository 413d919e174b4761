/* engine/kernels_template.h - the kernels, in vector extensions; included once per instruction
 * set.
 *
 * The including file defines LANES, KERNELS (the name of the table), FEW_ROWS, EACH_BLOCK(F) with
 * the register blocks F(rows, vectors) that fit the registers, and MOST_ROWS_OF: the most
 * rows for 0, 1 .. 4 vectors. It also gives vec, load_part() and store_part(). */

#define INLINE static inline __attribute__((always_inline))

typedef int32_t ivec __attribute__((vector_size(LANES * 4)));
typedef uint16_t hvec __attribute__((vector_size(LANES * 2)));

enum { MOST_ROWS = 16, MOST_VECTORS = 4 };

INLINE vec splat(float value)
{
    return value - (vec){0};
}

INLINE vec load(const float *p)
{
    vec v;
    memcpy(&v, p, sizeof v);
    return v;
}

INLINE void store(float *p, vec v)
{
    memcpy(p, &v, sizeof v);
}

INLINE vec load_some(const float *p, int64_t n)
{
    return n >= LANES ? load(p) : load_part(p, (int)n);
}

INLINE void store_some(float *p, vec v, int64_t n)
{
    if (n >= LANES)
        store(p, v);
    else
        store_part(p, v, (int)n);
}

#include "engine/product_kernels.h"
#include "engine/row_kernels.h"
#include "engine/depthwise_kernels.h"
#include "engine/pool_kernels.h"

const hki_kernels KERNELS = {
    .lanes = LANES,
    .few_rows = FEW_ROWS,
    .product = product,
    .column_sums = column_sums,
    .taps_forward = taps_forward,
    .taps_weight = taps_weight,
    .max_forward = max_forward,
    .max_backward = max_backward,
    .avg_forward = avg_forward,
    .avg_backward = avg_backward,
};
