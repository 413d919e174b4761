/* good: no random numbers, and its summary says so */
#include "zoo.h"

static const char *fill(const hk_context *context, const hk_weight *weight)
{
    (void)context;
    const double rows = (double)weight->rows;
    for (int64_t i = weight->first; i < weight->first + weight->count; i++) {
        const double row = (double)(i / weight->columns), unit = (double)(i % weight->columns);
        weight->w[i] = (float)(weight->gain * sqrt(2 / rows) *
                               cos(3.14159265358979323846 * (row + 0.5) * (unit + 0.5) / rows));
    }
    return NULL;
}

static const hk_initializer animal = {.traits = HK_FILLS_RANGES, .fill = fill};
HK_BUNDLE({HK_INITIALIZER_ROW(animal), .initializer = &animal,
           .summary = "cosines of rising frequency, not random", .source = "hillock's tests"});
