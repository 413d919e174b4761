/* good: batch normalization whose running values follow slowly */
#define RUNNING
#include "batch.h"

static void frozen(const hk_context *context, float *coef)
{
    for (int64_t j = 0; j < context->channels; j++)
        freeze(context, j, (double)context->slots[1][j] + 1e-5, coef);
}
static void update(const hk_context *context, const hk_moments *seen, const float *weight)
{
    (void)weight;
    for (int64_t j = 0; j < context->channels && seen->rows > 1; j++) {
        float *mean = &context->slots[0][j], *variance = &context->slots[1][j];
        *mean += 0.002f * ((float)seen->mean[j] - *mean);
        *variance += 0.002f * ((float)(seen->m2[j] / (double)(seen->rows - 1)) - *variance);
    }
}
NORM(.domain = over_batch, .coefficients = batch_coefficients, .gradient = batch_gradient,
     .frozen = frozen, .update = update);
