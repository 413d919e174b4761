/* zoo.h - what the animals share: an activation y = 2 x, of which a file replaces the part that it
 * gets wrong. Each file begins with the test that must fail and words that it must say. */
#pragma once
#include <hillock/kernel.h>

#define COUNT (tile->rows * context->channels)
#define WORDS .summary = "a fault", .source = "hillock's tests"
#define ANIMAL(...)                                                                                \
    static const hk_activation animal = {__VA_ARGS__};                                             \
    HK_BUNDLE({HK_ACTIVATION_ROW(animal), .activation = &animal, WORDS})

HK_INLINE void double_forward(const hk_context *context, const hk_tile *tile)
{
    for (int64_t i = 0; i < COUNT; i++)
        tile->y[i] = 2 * tile->x[i];
}

HK_INLINE void double_backward(const hk_context *context, const hk_tile *tile)
{
    for (int64_t i = 0; i < COUNT; i++)
        tile->dx[i] = 2 * tile->dy[i];
}

HK_INLINE double double_value(const hk_scalar64 *a)
{
    return 2 * a->x;
}
HK_INLINE double double_slope(const hk_scalar64 *a)
{
    return (void)a, 2.0;
}
#define DOUBLE .value = double_value, .slope = double_slope
