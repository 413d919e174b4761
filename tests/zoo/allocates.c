/* file, "memory belongs to the framework": scratch from malloc */
#include "zoo.h"

#include <stdlib.h>

static void forward(const hk_context *context, const hk_tile *tile)
{
    float *scratch = malloc((size_t)COUNT * sizeof *scratch);
    for (int64_t i = 0; i < COUNT; i++)
        scratch[i] = 2 * tile->x[i];
    memcpy(tile->y, scratch, (size_t)COUNT * sizeof *scratch);
    free(scratch);
}

ANIMAL(.kernels = {{forward, double_backward}}, DOUBLE);
