/* memory, "called exit()": it ends the program as if all were well */
#include "zoo.h"

#include <stdlib.h>

static void forward(const hk_context *context, const hk_tile *tile)
{
    double_forward(context, tile);
    if (COUNT)
        exit(0);
}

ANIMAL(.kernels = {{forward, double_backward}}, DOUBLE);
