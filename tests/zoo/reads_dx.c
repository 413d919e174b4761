/* memory, "was read": dx is added to instead of written */
#include "zoo.h"

static void backward(const hk_context *context, const hk_tile *tile)
{
    for (int64_t i = 0; i < COUNT; i++)
        tile->dx[i] += 2 * tile->dy[i];
}

ANIMAL(.kernels = {{double_forward, backward}}, DOUBLE);
