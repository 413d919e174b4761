/* splits, "in tiles of": the mean of the tile is taken off */
#include "zoo.h"

static void forward(const hk_context *context, const hk_tile *tile)
{
    float mean = 0;
    for (int64_t i = 0; i < COUNT; i++)
        mean += tile->x[i] / (float)COUNT;
    for (int64_t i = 0; i < COUNT; i++)
        tile->y[i] = 2 * (tile->x[i] - mean);
}

ANIMAL(.kernels = {{forward, double_backward}});
