/* maxout: the largest of k pieces; piece i of output j is channel i n + j, n the outputs, so that
 * k = 2 is the max-feature-map. The gradient goes to the first of equals.
 * Goodfellow, Warde-Farley, Mirza, Courville, Bengio 2013, arXiv:1302.4389. */
#include <hillock/kernel.h>

HK_PARAMS({.name = "k",
           .doc = "pieces an output is chosen from",
           .type = HK_INTEGER,
           .value = 2,
           .low = 2,
           .high = 64});

static int64_t channels_out(const hk_context *context, int64_t channels)
{
    const int64_t k = (int64_t)context->params[0];
    return channels % k ? 0 : channels / k;
}

HK_INLINE void forward(const hk_context *context, const hk_tile *tile)
{
    const int64_t k = (int64_t)context->params[0], n = context->channels / k;
    for (int64_t row = 0; row < tile->rows; row++) {
        const float *x = tile->x + row * k * n;
        float *y = tile->y + row * n;
        memcpy(y, x, (size_t)n * sizeof *y);
        for (int64_t i = 1; i < k; i++)
            HK_VECTORIZE
        for (int64_t j = 0; j < n; j++) {
            const float z = x[i * n + j];
            y[j] = z > y[j] ? z : z != z ? z : y[j];
        }
    }
}

/* What is left of dy goes to a piece that equals y; the last piece holds it meanwhile. */
HK_INLINE void backward(const hk_context *context, const hk_tile *tile)
{
    const int64_t k = (int64_t)context->params[0], n = context->channels / k;
    for (int64_t row = 0; row < tile->rows; row++) {
        const float *x = tile->x + row * k * n, *y = tile->y + row * n;
        float *dx = tile->dx + row * k * n, *left = dx + (k - 1) * n;
        memcpy(left, tile->dy + row * n, (size_t)n * sizeof *left);
        for (int64_t i = 0; i < k - 1; i++)
            HK_VECTORIZE
        for (int64_t j = 0; j < n; j++) {
            dx[i * n + j] = x[i * n + j] == y[j] ? left[j] : 0;
            left[j] = x[i * n + j] == y[j] ? 0 : left[j];
        }
    }
}

HK_BLOCK_KERNELS(forward, backward)

static const hk_activation maxout = {
    .reads = HK_READS_X | HK_READS_Y, .kernels = HK_KERNELS, .channels_out = channels_out};

HK_BUNDLE({HK_ACTIVATION_ROW(maxout), .activation = &maxout, .aliases = "mfm", .tags = "rowwise",
           .params = params, .summary = "the largest of k channels",
           .source = "Goodfellow, Warde-Farley, Mirza, Courville, Bengio 2013"});
