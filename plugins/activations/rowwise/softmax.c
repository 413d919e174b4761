/* softmax: exp(x_c) / sum over the row of exp(x), shifted by the row's maximum so that nothing
 * overflows. Row-wise: a row is the channels of one position.
 * Bridle 1990, "Probabilistic interpretation of feedforward classification network outputs". */
#include <hillock/kernel.h>

/* The exponentials run over all rows together: a row alone may be too short for a vector. */
HK_INLINE void forward(const hk_context *context, const hk_tile *tile)
{
    const int64_t n = context->channels, count = tile->rows * n;
    for (int64_t row = 0; row < count; row += n) {
        const float most = hks_largest(n, tile->x + row);
        for (int64_t j = row; j < row + n; j++)
            tile->y[j] = tile->x[j] - most;
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

/* dx = y (dy - sum(dy y)). */
HK_INLINE void backward(const hk_context *context, const hk_tile *tile)
{
    const int64_t n = context->channels;
    for (int64_t row = 0; row < tile->rows; row++) {
        const float *y = tile->y + row * n, *dy = tile->dy + row * n, mean = hks_dot(n, y, dy);
        float *dx = tile->dx + row * n;
        HK_VECTORIZE
        for (int64_t j = 0; j < n; j++)
            dx[j] = y[j] * (dy[j] - mean);
    }
}

HK_BLOCK_KERNELS(forward, backward)

static const hk_activation softmax = {
    .reads = HK_READS_Y, .traits = HK_IN_PLACE | HK_ROWWISE, .kernels = HK_KERNELS};

HK_BUNDLE({HK_ACTIVATION_ROW(softmax), .activation = &softmax, .aliases = "softmax2d",
           .tags = "core,rowwise", .summary = "exp(x) / sum of exp(x) over the channels",
           .source = "Bridle 1990"});
