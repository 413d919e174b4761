/* memory, "exited with status 0": it ends the program without farewell */
#include "zoo.h"

#include <unistd.h>

static void forward(const hk_context *context, const hk_tile *tile)
{
    double_forward(context, tile);
    if (COUNT)
        _exit(0);
}

ANIMAL(.kernels = {{forward, double_backward}}, DOUBLE);
