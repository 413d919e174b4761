/* special, "would hide an error": a kernel without a reference turns NaN into 1 */
#include "zoo.h"

static void forward(const hk_context *context, const hk_tile *tile)
{
    for (int64_t i = 0; i < COUNT; i++)
        tile->y[i] = tile->x[i] < 1 ? 2 * tile->x[i] : 2;
}
static void backward(const hk_context *context, const hk_tile *tile)
{
    for (int64_t i = 0; i < COUNT; i++)
        tile->dx[i] = tile->x[i] < 1 ? 2 * tile->dy[i] : 0;
}
ANIMAL(.reads = HK_READS_X, .kernels = {{forward, backward}});
