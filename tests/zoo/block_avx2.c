/* kernels, "in baseline": without a reference, the avx2 kernel computes something else */
#include "zoo.h"

static void other(const hk_context *context, const hk_tile *tile)
{
    for (int64_t i = 0; i < COUNT; i++)
        tile->y[i] = (float)2.001 * tile->x[i];
}
ANIMAL(.kernels = {{double_forward, double_backward}, {other, double_backward}});
