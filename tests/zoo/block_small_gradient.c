/* gradient, "differences say": a small slope, 4 % too large, beside a large one */
#include "zoo.h"

static void walk(const hk_context *context, const hk_tile *tile, const float *from, float *to,
                 float small)
{
    for (int64_t i = 0; i < COUNT; i++)
        to[i] = (i % context->channels ? small : 100) * from[i];
}
static void forward(const hk_context *context, const hk_tile *tile)
{
    walk(context, tile, tile->x, tile->y, 0.5f);
}
static void backward(const hk_context *context, const hk_tile *tile)
{
    walk(context, tile, tile->dy, tile->dx, 0.52f);
}
ANIMAL(.kernels = {{forward, backward}});
