/* splits, "the sum": statistics are written, not added to what is there */
#include "zoo.h"

HK_SLOTS({.name = "mean", .doc = "mean input", .role = HK_STATE, .extent = HK_PER_CHANNEL});

static void forward(const hk_context *context, const hk_tile *tile)
{
    double_forward(context, tile);
    for (int64_t j = 0; tile->sums && j < context->channels; j++)
        tile->sums[j] = 0;
    for (int64_t i = 0; tile->sums && i < COUNT; i++)
        tile->sums[i % context->channels] += 10 + tile->x[i];
}

static void update(const hk_context *context, const hk_activity *seen)
{
    for (int64_t j = 0; j < context->channels; j++)
        context->slots[0][j] = (float)(seen->sums[j] / (double)seen->rows);
}

static const hk_activation summing = {
    .n_sums = 1, .kernels = {{forward, double_backward}}, .update = update, DOUBLE};
HK_BUNDLE({HK_ACTIVATION_ROW(animal), .activation = &summing, .slots = slots, WORDS});
