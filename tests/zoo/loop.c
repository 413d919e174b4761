/* process, "ran for more than": it never ends */
#include "zoo.h"

static void forward(const hk_context *context, const hk_tile *tile)
{
    for (volatile int64_t i = 0; i < 10; i = 0)
        tile->y[0] = 2 * tile->x[0];
    double_forward(context, tile);
}

ANIMAL(.kernels = {{forward, double_backward}}, DOUBLE);
