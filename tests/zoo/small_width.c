/* gradient, " in 1 x 601: ": a mean over a row whose derivative is wrong beyond 600 channels */
#include "zoo.h"

static void forward(const hk_context *context, const hk_tile *tile)
{
    const int64_t n = context->channels;
    for (int64_t r = 0; r < tile->rows; r++) {
        const float *x = tile->x + r * n;
        const float mean = hks_sum(n, x) / (float)n;
        for (int64_t j = 0; j < n; j++)
            tile->y[r * n + j] = x[j] - mean;
    }
}

static void backward(const hk_context *context, const hk_tile *tile)
{
    const int64_t n = context->channels;
    for (int64_t r = 0; r < tile->rows; r++) {
        const float *dy = tile->dy + r * n;
        const float mean = hks_sum(n, dy) / (float)(n > 600 ? n + 40 : n);
        for (int64_t j = 0; j < n; j++)
            tile->dx[r * n + j] = dy[j] - mean;
    }
}

HK_BLOCK_KERNELS(forward, backward)
ANIMAL(.traits = HK_ROWWISE, .kernels = HK_KERNELS);
