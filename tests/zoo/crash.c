/* memory, "through a NULL pointer": it writes through NULL */
#include "zoo.h"

static volatile float *const volatile nowhere;

static void forward(const hk_context *context, const hk_tile *tile)
{
    double_forward(context, tile);
    *nowhere = 1;
}

ANIMAL(.kernels = {{forward, double_backward}}, DOUBLE);
