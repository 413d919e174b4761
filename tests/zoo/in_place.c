/* splits, "in place": y may overwrite x, it says, and reads x afterwards */
#include "zoo.h"

static void forward(const hk_context *context, const hk_tile *tile)
{
    for (int64_t i = 0; i < COUNT; i++)
        tile->y[i] = tile->x[i] + 1;
    for (int64_t i = 0; i < COUNT; i++)
        tile->y[i] += tile->x[i] - 1;
}

ANIMAL(.traits = HK_IN_PLACE, .kernels = {{forward, double_backward}}, DOUBLE);
