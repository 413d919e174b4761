/* gradient, "their gradients add up to 0": the larger of two neighbours; where they are equal neither gets any */
#include "zoo.h"

HK_INLINE void forward(const hk_context *context, const hk_tile *tile)
{
    for (int64_t i = 0; i < COUNT / 2; i++)
        tile->y[i] = hks_max(tile->x[2 * i], tile->x[2 * i + 1]);
}

HK_INLINE void backward(const hk_context *context, const hk_tile *tile)
{
    for (int64_t i = 0; i < COUNT; i++)
        tile->dx[i] = tile->x[i] > tile->x[i ^ 1] ? tile->dy[i / 2] : 0;
}

static int64_t half(const hk_context *context, int64_t channels)
{
    (void)context;
    return channels % 2 ? 0 : channels / 2;
}

HK_BLOCK_KERNELS(forward, backward)
ANIMAL(.reads = HK_READS_X, .channels_out = half, .kernels = HK_KERNELS);
