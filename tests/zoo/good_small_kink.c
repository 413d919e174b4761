/* good: no reference, and a kink at 0 that turns by 3 % only */
#include "zoo.h"

static void forward(const hk_context *context, const hk_tile *tile)
{
    for (int64_t i = 0; i < COUNT; i++)
        tile->y[i] = tile->x[i] > 0 ? tile->x[i] : 0.97f * tile->x[i];
}

static void backward(const hk_context *context, const hk_tile *tile)
{
    for (int64_t i = 0; i < COUNT; i++)
        tile->dx[i] = tile->x[i] > 0 ? tile->dy[i] : 0.97f * tile->dy[i];
}

ANIMAL(.reads = HK_READS_X, .kernels = {{forward, backward}});
