/* memory, "of aux": more is kept for backward than was declared */
#include "zoo.h"

static void forward(const hk_context *context, const hk_tile *tile)
{
    double_forward(context, tile);
    for (int64_t i = 0; i < 2 * tile->rows; i++)
        tile->aux[i] = 1;
}

ANIMAL(.aux_floats = 1, .kernels = {{forward, double_backward}}, DOUBLE);
