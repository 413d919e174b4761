/* crelu: [relu(x), relu(-x)], twice the channels.
 * Shang, Sohn, Almeida, Lee 2016, arXiv:1603.05201. */
#include <hillock/kernel.h>

static int64_t channels_out(const hk_context *context, int64_t channels)
{
    (void)context;
    return 2 * channels;
}

HK_INLINE void forward(const hk_context *context, const hk_tile *tile)
{
    const int64_t n = context->channels;
    for (int64_t row = 0; row < tile->rows; row++) {
        const float *x = tile->x + row * n;
        float *y = tile->y + row * 2 * n;
        HK_VECTORIZE
        for (int64_t j = 0; j < n; j++) {
            y[j] = hks_max(0, x[j]);
            y[n + j] = hks_max(0, -x[j]);
        }
    }
}

HK_INLINE void backward(const hk_context *context, const hk_tile *tile)
{
    const int64_t n = context->channels;
    for (int64_t row = 0; row < tile->rows; row++) {
        const float *x = tile->x + row * n, *dy = tile->dy + row * 2 * n;
        float *dx = tile->dx + row * n;
        HK_VECTORIZE
        for (int64_t j = 0; j < n; j++)
            dx[j] = x[j] > 0 ? dy[j] : x[j] < 0 ? -dy[n + j] : 0;
    }
}

HK_BLOCK_KERNELS(forward, backward)

static const hk_activation crelu = {
    .reads = HK_READS_X, .kernels = HK_KERNELS, .channels_out = channels_out};

HK_BUNDLE({HK_ACTIVATION_ROW(crelu), .activation = &crelu, .tags = "rowwise",
           .summary = "[relu(x), relu(-x)]", .source = "Shang, Sohn, Almeida, Lee 2016"});
