/* position, "as rows 65536": the number of a row is cut to 16 bits, and the first is special */
#include "zoo.h"

HK_INLINE void walk(const hk_context *context, const hk_tile *tile, const float *from, float *to)
{
    for (int64_t i = 0; i < COUNT; i++)
        to[i] =
            tile->first_row > 60000 && (uint16_t)tile->first_row == 0 ? 3 * from[i] : 2 * from[i];
}
static void forward(const hk_context *context, const hk_tile *tile)
{
    walk(context, tile, tile->x, tile->y);
}
static void backward(const hk_context *context, const hk_tile *tile)
{
    walk(context, tile, tile->dy, tile->dx);
}
ANIMAL(.kernels = {{forward, backward}});
