/* memory, "on the stack": an array of 1024 floats for a row: a layer of 1025 units writes beyond */
#include "zoo.h"

static void forward(const hk_context *context, const hk_tile *tile)
{
    volatile float row[1024];
    for (int64_t r = 0; r < tile->rows; r++) {
        const int64_t at = r * context->channels;
        for (int64_t j = 0; j < context->channels; j++)
            row[j] = 2 * tile->x[at + j];
        for (int64_t j = 0; j < context->channels; j++)
            tile->y[at + j] = row[j];
    }
}
ANIMAL(.kernels = {{forward, double_backward}});
