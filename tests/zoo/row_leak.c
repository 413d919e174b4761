/* neighbours, "changes y": an output leaks to the next row */
#include "zoo.h"

static void forward(const hk_context *context, const hk_tile *tile)
{
    const int64_t n = context->channels;
    for (int64_t i = 0; i < COUNT; i++)
        tile->y[i] = 2 * tile->x[i] + (i < n ? 0 : tile->x[i - n]);
}

ANIMAL(.traits = HK_ROWWISE, .kernels = {{forward, double_backward}});
