/* variance, "the mean is": uniform from 0 on, by a summary without signs of multiplication */
#include "zoo.h"

static const char *fill(const hk_context *context, const hk_weight *weight)
{
    (void)context;
    hks_fill_uniform(weight, 0, weight->gain * sqrt(3 / (double)weight->fan_in));
    return NULL;
}

static const hk_initializer animal = {.traits = HK_FILLS_RANGES, .fill = fill};
HK_BUNDLE({HK_INITIALIZER_ROW(animal), .initializer = &animal,
           .summary = "U(-b, b), b = gain sqrt(3 / fan_in)", .source = "hillock's tests"});
