/* redirected_relu: relu; where a whole row (the channels of one position) would lose its gradient,
 * what moves a negative input up, towards 0, passes.
 * The lucid library; Olah et al. 2018, Distill, "The building blocks of interpretability". */
#include <hillock/kernel.h>

HK_INLINE void forward(const hk_context *context, const hk_tile *tile)
{
    HK_VECTORIZE
    for (int64_t i = 0; i < tile->rows * context->channels; i++)
        tile->y[i] = hks_max(0, tile->x[i]);
}

HK_INLINE void backward(const hk_context *context, const hk_tile *tile)
{
    const int64_t n = context->channels;
    for (int64_t row = 0; row < tile->rows; row++) {
        const float *x = tile->x + row * n, *dy = tile->dy + row * n;
        float *dx = tile->dx + row * n;
        int kept = !context->surrogate;
        for (int64_t j = 0; j < n; j++)
            kept |= (x[j] > 0) & (dy[j] != 0);
        HK_VECTORIZE
        for (int64_t j = 0; j < n; j++)
            dx[j] = (x[j] > 0) | (!kept & (dy[j] < 0)) ? dy[j] : 0;
    }
}

HK_BLOCK_KERNELS(forward, backward)

static const hk_activation redirected_relu = {
    .reads = HK_READS_X, .traits = HK_IN_PLACE | HK_ROWWISE | HK_SURROGATE, .kernels = HK_KERNELS};

HK_BUNDLE({HK_ACTIVATION_ROW(redirected_relu), .activation = &redirected_relu, .tags = "surrogate",
           .summary = "max(0, x); a row without gradient gets the one that raises x",
           .source = "Olah et al. 2018"});
