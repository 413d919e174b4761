/* memory, "wrote x, which it may only read": the input serves as scratch */
#include "zoo.h"

static void forward(const hk_context *context, const hk_tile *tile)
{
    float *scratch = (float *)(uintptr_t)tile->x;
    for (int64_t i = 0; i < COUNT; i++)
        tile->y[i] = scratch[i] *= 2;
}

ANIMAL(.kernels = {{forward, double_backward}}, DOUBLE);
