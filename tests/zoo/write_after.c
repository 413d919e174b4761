/* memory, "wrote 0 bytes after the last float of y": one float too many */
#include "zoo.h"

static void forward(const hk_context *context, const hk_tile *tile)
{
    for (int64_t i = 0; i <= COUNT; i++)
        tile->y[i] = i < COUNT ? 2 * tile->x[i] : 0;
}

ANIMAL(.kernels = {{forward, double_backward}}, DOUBLE);
