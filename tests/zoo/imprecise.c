/* kernels, "y is": a large number comes and goes, and half the digits with it */
#include "zoo.h"

static void forward(const hk_context *context, const hk_tile *tile)
{
    for (int64_t i = 0; i < COUNT; i++)
        tile->y[i] = 2 * ((tile->x[i] + 4096) - 4096);
}

ANIMAL(.kernels = {{forward, double_backward}}, DOUBLE);
