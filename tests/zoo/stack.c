/* memory, "used up the stack": it calls itself without end */
#include "zoo.h"

static float deeper(const float *x, volatile float *before)
{
    volatile float room[1000];
    room[0] = before[0] + x[0];
    return deeper(x, room) + room[0];
}

static void forward(const hk_context *context, const hk_tile *tile)
{
    volatile float start[1] = {0};
    double_forward(context, tile);
    tile->y[0] = deeper(tile->x, start);
}

ANIMAL(.kernels = {{forward, double_backward}}, DOUBLE);
