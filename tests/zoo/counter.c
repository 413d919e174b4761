/* repeat, "wrote to a variable of the file": every call gives another result */
#include "zoo.h"

static volatile int calls;

static void forward(const hk_context *context, const hk_tile *tile)
{
    const float factor = 2 + 1e-3f * (float)(calls++ % 7);
    for (int64_t i = 0; i < COUNT; i++)
        tile->y[i] = factor * tile->x[i];
}

ANIMAL(.kernels = {{forward, double_backward}});
