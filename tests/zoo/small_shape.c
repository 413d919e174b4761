/* kernels, "baseline, 3 x 17, element 34: x = 1: y is 3,": wrong from the third row and the seventeenth channel on */
#include "zoo.h"

static void forward(const hk_context *context, const hk_tile *tile)
{
    double_forward(context, tile);
    for (int64_t i = 2 * context->channels; context->channels > 16 && i < COUNT; i++)
        tile->y[i] = 3 * tile->x[i];
}

ANIMAL(.kernels = {{forward, double_backward}}, DOUBLE);
