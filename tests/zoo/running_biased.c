/* evaluation, "its doc states": the running variance is divided by n where n - 1 is stated */
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
    learn(context, seen, seen->rows);
}

NORM(.domain = over_batch, .coefficients = batch_coefficients, .gradient = batch_gradient,
     .frozen = frozen, .update = update);
