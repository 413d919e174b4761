/* good: a law of the weights, and a bias that is one number */
#include "zoo.h"

static const char *fill(const hk_context *context, const hk_weight *weight)
{
    (void)context;
    hks_fill_normal(weight, 0, 1 / sqrt((double)weight->fan_in));
    for (int64_t j = 0; weight->bias && j < weight->columns; j++)
        weight->bias[j] = 0.05f;
    return NULL;
}

static const hk_initializer animal = {.traits = HK_FILLS_RANGES | HK_FILLS_BIAS, .fill = fill};
HK_BUNDLE({HK_INITIALIZER_ROW(animal), .initializer = &animal, .summary = "N(0, 1 / fan_in)",
           .source = "hillock's tests"});
