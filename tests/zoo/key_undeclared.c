/* position, "with another key": random numbers are drawn without HK_STOCHASTIC */
#include "zoo.h"

static void forward(const hk_context *context, const hk_tile *tile)
{
    for (int64_t i = 0; i < COUNT; i++)
        tile->y[i] = 2 * tile->x[i] * (1 + hks_uniform(context->key, 0));
}

ANIMAL(.kernels = {{forward, double_backward}});
