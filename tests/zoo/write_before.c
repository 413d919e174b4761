/* memory, "wrote 4 bytes before the first float of dx": one float before the start */
#include "zoo.h"

static void backward(const hk_context *context, const hk_tile *tile)
{
    for (int64_t i = -1; i < COUNT; i++)
        tile->dx[i] = i < 0 ? 0 : 2 * tile->dy[i];
}

ANIMAL(.kernels = {{double_forward, backward}}, DOUBLE);
