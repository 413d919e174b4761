/* memory, "called abort()": it aborts */
#include "zoo.h"

#include <stdlib.h>

static void forward(const hk_context *context, const hk_tile *tile)
{
    double_forward(context, tile);
    if (COUNT)
        abort();
}

ANIMAL(.kernels = {{forward, double_backward}}, DOUBLE);
