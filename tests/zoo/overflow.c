/* special, "y is inf": softplus without care for large x */
#include "zoo.h"

static double value(const hk_scalar64 *a)
{
    return hks_softplus(a->x);
}
static double slope(const hk_scalar64 *a)
{
    return hks_sigmoid(a->x);
}

static void forward(const hk_context *context, const hk_tile *tile)
{
    for (int64_t i = 0; i < COUNT; i++)
        tile->y[i] = hks_log(1 + hks_exp(tile->x[i]));
}

static void backward(const hk_context *context, const hk_tile *tile)
{
    for (int64_t i = 0; i < COUNT; i++)
        tile->dx[i] = tile->dy[i] * hks_sigmoid(tile->x[i]);
}

ANIMAL(.reads = HK_READS_X, .value = value, .slope = slope, .kernels = {{forward, backward}});
