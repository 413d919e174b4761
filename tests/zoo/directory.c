/* process, "working directory": it changes the working directory */
#include "zoo.h"

#include <unistd.h>

static void forward(const hk_context *context, const hk_tile *tile)
{
    double_forward(context, tile);
    if (chdir("/") != 0)
        tile->y[0] = 0;
}

ANIMAL(.kernels = {{forward, double_backward}}, DOUBLE);
