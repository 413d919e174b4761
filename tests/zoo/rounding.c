/* process, "changed the floating-point mode": it rounds upwards and leaves it so */
#include "zoo.h"

#include <fenv.h>

static void forward(const hk_context *context, const hk_tile *tile)
{
    fesetround(FE_UPWARD);
    double_forward(context, tile);
}

ANIMAL(.kernels = {{forward, double_backward}}, DOUBLE);
