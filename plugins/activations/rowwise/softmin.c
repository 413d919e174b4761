/* softmin: softmax(-x), large where x is small.
 * Bridle 1990, of -x; the name is PyTorch's. */
#include <hillock/kernel.h>

HK_INLINE void forward(const hk_context *context, const hk_tile *tile)
{
    const int64_t n = context->channels, count = tile->rows * n;
    HK_VECTORIZE
    for (int64_t i = 0; i < count; i++)
        tile->y[i] = -tile->x[i];
    for (int64_t row = 0; row < count; row += n) {
        const float most = hks_largest(n, tile->y + row);
        for (int64_t j = row; j < row + n; j++)
            tile->y[j] -= most;
    }
    HK_VECTORIZE
    for (int64_t i = 0; i < count; i++)
        tile->y[i] = hks_exp(tile->y[i]);
    for (int64_t row = 0; row < count; row += n) {
        const float share = 1 / hks_sum(n, tile->y + row);
        for (int64_t j = row; j < row + n; j++)
            tile->y[j] *= share;
    }
}

/* dx = -y (dy - sum(dy y)). */
HK_INLINE void backward(const hk_context *context, const hk_tile *tile)
{
    const int64_t n = context->channels;
    for (int64_t row = 0; row < tile->rows; row++) {
        const float *y = tile->y + row * n, *dy = tile->dy + row * n, mean = hks_dot(n, y, dy);
        float *dx = tile->dx + row * n;
        HK_VECTORIZE
        for (int64_t j = 0; j < n; j++)
            dx[j] = y[j] * (mean - dy[j]);
    }
}

HK_BLOCK_KERNELS(forward, backward)

static const hk_activation softmin = {
    .reads = HK_READS_Y, .traits = HK_IN_PLACE | HK_ROWWISE, .kernels = HK_KERNELS};

HK_BUNDLE({HK_ACTIVATION_ROW(softmin), .activation = &softmin, .tags = "rowwise",
           .summary = "exp(-x) / sum of exp(-x) over the channels", .source = "Bridle 1990"});
