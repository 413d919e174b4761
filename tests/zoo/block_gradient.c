/* gradient, "differences say": a softmax whose backward forgets the sum over the row */
#include "zoo.h"

static void forward(const hk_context *context, const hk_tile *tile)
{
    const int64_t n = context->channels;
    for (int64_t row = 0; row < tile->rows; row++) {
        float sum = 0, most = tile->x[row * n];
        for (int64_t j = 0; j < n; j++)
            most = hks_max(most, tile->x[row * n + j]);
        for (int64_t j = 0; j < n; j++)
            sum += tile->y[row * n + j] = hks_exp(tile->x[row * n + j] - most);
        for (int64_t j = 0; j < n; j++)
            tile->y[row * n + j] /= sum;
    }
}

static void backward(const hk_context *context, const hk_tile *tile)
{
    for (int64_t i = 0; i < COUNT; i++)
        tile->dx[i] = tile->y[i] * (1 - tile->y[i]) * tile->dy[i];
}

ANIMAL(.reads = HK_READS_Y, .traits = HK_ROWWISE, .kernels = {{forward, backward}});
