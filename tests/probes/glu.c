/* Probe: a plugin that changes the number of channels. glu halves them: y = a sigmoid(b) with
 * x = [a, b]; an odd number is refused. Dauphin, Fan, Auli, Grangier 2017, arXiv:1612.08083. */
#include <hillock/kernel.h>

static int64_t channels_out(const hk_context *context, int64_t channels)
{
    (void)context;
    return channels % 2 ? 0 : channels / 2;
}

HK_INLINE void forward(const hk_context *context, const hk_tile *tile)
{
    const int64_t n = context->channels / 2;
    for (int64_t row = 0; row < tile->rows; row++) {
        const float *a = tile->x + row * 2 * n, *b = a + n;
        for (int64_t j = 0; j < n; j++)
            tile->y[row * n + j] = a[j] * hks_sigmoid(b[j]);
    }
}

HK_INLINE void backward(const hk_context *context, const hk_tile *tile)
{
    const int64_t n = context->channels / 2;
    for (int64_t row = 0; row < tile->rows; row++) {
        const float *a = tile->x + row * 2 * n, *b = a + n, *dy = tile->dy + row * n;
        float *da = tile->dx + row * 2 * n, *db = da + n;
        for (int64_t j = 0; j < n; j++) {
            da[j] = dy[j] * hks_sigmoid(b[j]);
            db[j] = dy[j] * a[j] * hks_sigmoid(b[j]) * hks_sigmoid(-b[j]);
        }
    }
}

HK_BLOCK_KERNELS(forward, backward)
static const hk_activation glu = {
    .reads = HK_READS_X, .kernels = HK_KERNELS, .channels_out = channels_out};
HK_BUNDLE({HK_ACTIVATION_ROW(glu), .activation = &glu, .summary = "a * sigmoid(b), x = [a, b]",
           .source = "Dauphin, Fan, Auli, Grangier 2017"});
