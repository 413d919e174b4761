/* position, "needs HK_STOCHASTIC": the result depends on where a row stands */
#include "zoo.h"

static void forward(const hk_context *context, const hk_tile *tile)
{
    for (int64_t row = 0; row < tile->rows; row++)
        for (int64_t j = 0; j < context->channels; j++) {
            const int64_t i = row * context->channels + j;
            tile->y[i] = tile->x[i] * (2 + (float)((tile->first_row + row) % 3));
        }
}

ANIMAL(.kernels = {{forward, double_backward}});
