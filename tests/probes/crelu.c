/* Probe: twice the channels out. crelu: y = [relu(x), relu(-x)].
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
    for (int64_t row = 0; row < tile->rows; row++)
        for (int64_t j = 0; j < n; j++) {
            const float x = tile->x[row * n + j];
            tile->y[row * 2 * n + j] = hks_max(0, x);
            tile->y[row * 2 * n + n + j] = hks_max(0, -x);
        }
}

HK_INLINE void backward(const hk_context *context, const hk_tile *tile)
{
    const int64_t n = context->channels;
    for (int64_t row = 0; row < tile->rows; row++)
        for (int64_t j = 0; j < n; j++) {
            const float x = tile->x[row * n + j], *dy = tile->dy + row * 2 * n;
            tile->dx[row * n + j] = (x > 0 ? dy[j] : 0) - (x < 0 ? dy[n + j] : 0);
        }
}

HK_BLOCK_KERNELS(forward, backward)
static const hk_activation crelu = {
    .reads = HK_READS_X, .kernels = HK_KERNELS, .channels_out = channels_out};
HK_BUNDLE({HK_ACTIVATION_ROW(crelu), .activation = &crelu, .summary = "[relu(x), relu(-x)]",
           .source = "Shang, Sohn, Almeida, Lee 2016"});
