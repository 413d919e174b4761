/* softmax: exp(x_c) / sum over the row of exp(x), shifted by the row's maximum so that nothing
 * overflows. Row-wise: a row is the channels of one position.
 * Bridle 1990, "Probabilistic interpretation of feedforward classification network outputs". */
#include <hillock/kernel.h>

/* The row's maximum; NaN anywhere in the row makes the result NaN later, through exp. */
HK_INLINE float largest(int64_t n, const float *x)
{
    float lane[HK_LANES], most = x[0];
    for (int j = 0; j < HK_LANES; j++)
        lane[j] = x[0];
    int64_t i = 0;
    for (; i + HK_LANES <= n; i += HK_LANES)
        for (int j = 0; j < HK_LANES; j++)
            lane[j] = hks_max(lane[j], x[i + j]);
    for (; i < n; i++)
        most = hks_max(most, x[i]);
    for (int j = 0; j < HK_LANES; j++)
        most = hks_max(most, lane[j]);
    return most;
}

HK_INLINE void forward(const hk_context *context, const hk_tile *tile)
{
    const int64_t n = context->channels;
    for (int64_t row = 0; row < tile->rows; row++) {
        const float *x = tile->x + row * n, most = largest(n, x);
        float *y = tile->y + row * n;
        HK_VECTORIZE
        for (int64_t j = 0; j < n; j++)
            y[j] = hks_exp(x[j] - most);
        const float total = hks_sum(n, y);
        HK_VECTORIZE
        for (int64_t j = 0; j < n; j++)
            y[j] /= total;
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

HK_BUNDLE({HK_ACTIVATION_ROW(softmax), .activation = &softmax,
           .summary = "exp(x) / sum of exp(x) over the channels",
           .source = "Bridle 1990"});
