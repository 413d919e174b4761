/* memory, "through a NULL pointer": backward reads x without declaring it */
#include "zoo.h"

static void backward(const hk_context *context, const hk_tile *tile)
{
    for (int64_t i = 0; i < COUNT; i++)
        tile->dx[i] = (tile->x[i] > 0 ? 2.0f : 1.999f) * tile->dy[i];
}

ANIMAL(.kernels = {{double_forward, backward}}, DOUBLE);
