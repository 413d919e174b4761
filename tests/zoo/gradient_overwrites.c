/* kernels, "gradient of scale": the gradient of a slot is written, not added to what is there */
#include "zoo.h"

HK_SLOTS({.name = "scale", .doc = "factor", .role = HK_LEARNED, .extent = HK_SHARED, .value = 1});

static void forward(const hk_context *context, const hk_tile *tile)
{
    for (int64_t i = 0; i < COUNT; i++)
        tile->y[i] = context->slots[0][0] * tile->x[i];
}

static void backward(const hk_context *context, const hk_tile *tile)
{
    tile->dslots[0][0] = 0;
    for (int64_t i = 0; i < COUNT; i++) {
        tile->dx[i] = context->slots[0][0] * tile->dy[i];
        tile->dslots[0][0] += tile->x[i] * tile->dy[i];
    }
}

static double value(const hk_scalar64 *a)
{
    return a->t[0] * a->x;
}
static double slope(const hk_scalar64 *a)
{
    return a->t[0];
}
static double gradient(const hk_scalar64 *a, int slot)
{
    return (void)slot, a->x;
}

static const hk_activation scaled = {.reads = HK_READS_X,
                                     .kernels = {{forward, backward}},
                                     .value = value,
                                     .slope = slope,
                                     .gradient = gradient};
HK_BUNDLE({HK_ACTIVATION_ROW(animal), .activation = &scaled, .slots = slots, WORDS});
