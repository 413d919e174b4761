/* random, "of rows 0 to 63": random numbers repeat after 65536 rows */
#include "zoo.h"

static float noise(const hk_context *context, const hk_tile *tile, int64_t i)
{
    const uint64_t row = (uint16_t)(tile->first_row + i / context->channels);
    return context->training ? hks_normal(context->key, row * (uint64_t)context->channels +
                                                            (uint64_t)(i % context->channels))
                             : 0;
}
static void forward(const hk_context *context, const hk_tile *tile)
{
    for (int64_t i = 0; i < COUNT; i++)
        tile->y[i] = 2 * tile->x[i] + noise(context, tile, i);
}
ANIMAL(.traits = HK_STOCHASTIC, .kernels = {{forward, double_backward}});
