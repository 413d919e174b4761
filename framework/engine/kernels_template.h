/* engine/kernels_template.h - the kernels, in vector extensions; included once per instruction
 * set.
 *
 * The including file defines LANES, KERNELS (the name of the table), FEW_ROWS, EACH_BLOCK(F) with
 * the register blocks F(rows, vectors) that fit the registers, and MOST_ROWS_OF: the most
 * rows for 0, 1 .. 4 vectors. It also gives vec, load_part(), store_part(), root() and fused().
 *
 * fused(a, b, c) is a * b + c in one FMA where there is one. The sums of two products of an element
 * that may stand in a whole vector or in the part of one, such as an optimizer's, are written with
 * it: clang fused one of the products here and the other there, with other bits. */

#define INLINE static inline __attribute__((always_inline))

typedef int32_t ivec __attribute__((vector_size(LANES * 4)));
typedef uint16_t hvec __attribute__((vector_size(LANES * 2)));
typedef double dvec __attribute__((vector_size(LANES * 8)));

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
#include "engine/dense_kernels.h"
#include "engine/softmax_kernels.h"
#include "engine/update_kernels.h"
#include "engine/depthwise_kernels.h"
#include "engine/winograd_kernels.h"
#include "engine/pool_kernels.h"

const hki_kernels KERNELS = {
    .lanes = LANES,
    .few_rows = FEW_ROWS,
    .product = product,
    .column_sums = column_sums,
    .moments = moments,
    .gradient_sums = gradient_sums,
    .affine = affine,
    .affine_backward = affine_backward,
    .winograd_input = winograd_input,
    .winograd_gradient = winograd_gradient,
    .winograd_output = winograd_output,
    .winograd_filter = winograd_filter,
    .winograd_filter_gradient = winograd_filter_gradient,
    .dots = dots,
    .transpose = transpose,
    .softmax = softmax,
    .softmax_sums = softmax_sums,
    .sgd = update_sgd,
    .momentum = update_momentum,
    .adam = update_adam,
    .rmsprop = update_rmsprop,
    .sum = sum_of,
    .sum_squares = sum_squares_of,
    .taps_forward = taps_forward,
    .taps_weight = taps_weight,
    .max_forward = max_forward,
    .max_backward = max_backward,
    .avg_forward = avg_forward,
    .avg_backward = avg_backward,
};
