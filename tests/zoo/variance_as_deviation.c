/* variance, "says 0.00434": the variance that its summary names is taken for the deviation */
#include "zoo.h"

static const char *fill(const hk_context *context, const hk_weight *weight)
{
    (void)context;
    hks_fill_normal(weight, 0, weight->gain * weight->gain / (double)weight->fan_in);
    return NULL;
}

static const hk_initializer animal = {.traits = HK_FILLS_RANGES, .fill = fill};
HK_BUNDLE({HK_INITIALIZER_ROW(animal), .initializer = &animal,
           .summary = "normal with variance gain^2 / fan_in", .source = "hillock's tests"});
