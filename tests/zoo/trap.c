/* memory, "crashed": it runs into a trap */
#include "zoo.h"

static void forward(const hk_context *context, const hk_tile *tile)
{
    double_forward(context, tile);
    if (COUNT)
        __builtin_trap();
}

ANIMAL(.kernels = {{forward, double_backward}}, DOUBLE);
