/* good: no reference, no template, fewer channels out, kinks where numbers are equal */
#include "zoo.h"

static int64_t channels_out(const hk_context *context, int64_t channels)
{
    return (void)context, channels % 3 ? 0 : channels / 3;
}

/* The largest of three neighbours. */
static int64_t winner(const float *x)
{
    const int64_t first = x[1] > x[0];
    return x[2] > x[first] ? 2 : first;
}

static void forward(const hk_context *context, const hk_tile *tile)
{
    for (int64_t i = 0; i < COUNT / 3; i++)
        tile->y[i] = tile->x[3 * i + winner(tile->x + 3 * i)];
}

static void backward(const hk_context *context, const hk_tile *tile)
{
    for (int64_t i = 0; i < COUNT / 3; i++)
        for (int64_t k = 0; k < 3; k++)
            tile->dx[3 * i + k] = k == winner(tile->x + 3 * i) ? tile->dy[i] : 0;
}

ANIMAL(.reads = HK_READS_X, .kernels = {{forward, backward}}, .channels_out = channels_out);
