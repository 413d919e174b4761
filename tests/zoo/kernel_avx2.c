/* kernels, "avx2": the kernel of one instruction set computes something else */
#include "zoo.h"

static void other(const hk_context *context, const hk_tile *tile)
{
    for (int64_t i = 0; i < COUNT; i++)
        tile->y[i] = 2.001f * tile->x[i];
}

ANIMAL(.kernels = {{double_forward, double_backward}, {other, double_backward}}, DOUBLE);
