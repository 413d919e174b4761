/* imports, "imports hk_now: only a model calls layer functions": an activation that asks the framework */
#include "zoo.h"

double hk_now(void);

static void forward(const hk_context *context, const hk_tile *tile)
{
    double_forward(context, tile);
    if (hk_now() < 0)
        tile->y[0] = 0;
}

ANIMAL(.traits = HK_IN_PLACE, .kernels = {{forward, double_backward}}, DOUBLE);
