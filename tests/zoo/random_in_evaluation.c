/* position: random numbers are drawn in evaluation too */
#include "zoo.h"

static void forward(const hk_context *context, const hk_tile *tile)
{
    const uint64_t first = (uint64_t)(tile->first_row * context->channels);
    for (int64_t i = 0; i < COUNT; i++)
        tile->y[i] = tile->x[i] * hks_uniform(context->key, first + (uint64_t)i);
}

static void backward(const hk_context *context, const hk_tile *tile)
{
    const uint64_t first = (uint64_t)(tile->first_row * context->channels);
    for (int64_t i = 0; i < COUNT; i++)
        tile->dx[i] = tile->dy[i] * hks_uniform(context->key, first + (uint64_t)i);
}

ANIMAL(.traits = HK_STOCHASTIC, .kernels = {{forward, backward}});
