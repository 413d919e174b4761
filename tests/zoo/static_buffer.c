/* file, "writable memory": scratch that all threads share */
#include "zoo.h"

static float scratch[4096];

static void forward(const hk_context *context, const hk_tile *tile)
{
    for (int64_t i = 0; i < COUNT; i++)
        scratch[i % 4096] = 2 * tile->x[i];
    for (int64_t i = 0; i < COUNT; i++)
        tile->y[i] = i + 4096 < COUNT ? 2 * tile->x[i] : scratch[i % 4096];
}

ANIMAL(.kernels = {{forward, double_backward}}, DOUBLE);
