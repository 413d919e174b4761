/* threads, "wrote to a variable of the file": a cell that all threads write; the file has lost its name */
/* flags: -s */
#include "zoo.h"

static volatile float cell;

static void forward(const hk_context *context, const hk_tile *tile)
{
    cell = 0;
    for (int64_t i = 0; i < COUNT; i++)
        cell += tile->x[i];
    for (int64_t i = 0; i < COUNT; i++)
        tile->y[i] = tile->x[i] - cell;
}

ANIMAL(.traits = HK_ROWWISE, .kernels = {{forward, double_backward}});
