/* neighbours, "needs HK_ROWWISE": an output leaks to its neighbour */
#include "zoo.h"

static void forward(const hk_context *context, const hk_tile *tile)
{
    for (int64_t i = 0; i < COUNT; i++)
        tile->y[i] = 2 * tile->x[i] + (i % context->channels ? 0.5f * tile->x[i - 1] : 0);
}

ANIMAL(.kernels = {{forward, double_backward}});
