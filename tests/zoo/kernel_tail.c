/* memory, "was not written": what is left of a row of odd length is forgotten */
#include "zoo.h"

static void forward(const hk_context *context, const hk_tile *tile)
{
    for (int64_t i = 0; i + 4 <= COUNT; i += 4)
        for (int64_t j = i; j < i + 4; j++)
            tile->y[j] = 2 * tile->x[j];
}

ANIMAL(.kernels = {{forward, double_backward}}, DOUBLE);
