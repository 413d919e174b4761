/* log_softmax: x - log of the row's sum of exp(x), shifted by the row's maximum m so that nothing
 * overflows.
 * Bridle 1990, "Probabilistic interpretation of feedforward classification network outputs". */
#include <hillock/kernel.h>

/* y holds exp(x - m) first: the exponentials of all rows run together. */
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
        const float most = hks_largest(n, tile->x + row), sum = hks_log(hks_sum(n, tile->y + row));
        for (int64_t j = row; j < row + n; j++)
            tile->y[j] = tile->x[j] - most - sum;
    }
}

/* dx = dy - exp(y) sum(dy). */
HK_INLINE void backward(const hk_context *context, const hk_tile *tile)
{
    const int64_t n = context->channels, count = tile->rows * n;
    HK_VECTORIZE
    for (int64_t i = 0; i < count; i++)
        tile->dx[i] = hks_exp(tile->y[i]);
    for (int64_t row = 0; row < count; row += n) {
        const float sum = hks_sum(n, tile->dy + row);
        for (int64_t j = row; j < row + n; j++)
            tile->dx[j] = tile->dy[j] - tile->dx[j] * sum;
    }
}

HK_BLOCK_KERNELS(forward, backward)

static const hk_activation log_softmax = {
    .reads = HK_READS_Y, .traits = HK_ROWWISE, .kernels = HK_KERNELS};

HK_BUNDLE({HK_ACTIVATION_ROW(log_softmax), .activation = &log_softmax, .tags = "rowwise",
           .summary = "x - log(sum of exp(x) over the channels)", .source = "Bridle 1990"});
