/* file, "parallelism belongs to the framework": a parallel loop of its own */
/* flags: -fopenmp */
#include "zoo.h"

static void forward(const hk_context *context, const hk_tile *tile)
{
#pragma omp parallel for
    for (int64_t i = 0; i < COUNT; i++)
        tile->y[i] = 2 * tile->x[i];
}

ANIMAL(.kernels = {{forward, double_backward}}, DOUBLE);
