/* evaluation, "does not use what update() learns": evaluation divides by one */
#define RUNNING
#include "batch.h"

static void frozen(const hk_context *context, float *coef)
{
    for (int64_t j = 0; j < context->channels; j++)
        freeze(context, j, 1, coef);
}

static void update(const hk_context *context, const hk_moments *seen, const float *weight)
{
    (void)weight;
    learn(context, seen, seen->rows - 1);
}

NORM(.domain = over_batch, .coefficients = batch_coefficients, .gradient = batch_gradient,
     .frozen = frozen, .update = update);
