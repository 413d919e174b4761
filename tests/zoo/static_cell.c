/* file, "bytes of cell": a variable that all threads share */
#include "zoo.h"

static volatile float cell;

static void forward(const hk_context *context, const hk_tile *tile)
{
    for (int64_t i = 0; i < COUNT; i++) {
        cell = 2 * tile->x[i];
        tile->y[i] = cell;
    }
}

ANIMAL(.kernels = {{forward, double_backward}}, DOUBLE);
