/* An initializer with known dead channels behind a relu: of every four outputs of a layer of SIZE,
 * the first starts so far below zero that no input reaches it, and the others so far above that
 * some does. */
#include "../zoo/zoo.h"

static const char *fill(const hk_context *context, const hk_weight *weight)
{
    (void)context;
    const float deviation = (float)sqrt(2.0 / (double)weight->fan_in);
    for (int64_t i = 0; i < weight->count; i++)
        weight->w[i] = deviation * hks_normal(weight->key, (uint64_t)i);
    for (int64_t j = 0; weight->bias && j < weight->columns; j++)
        weight->bias[j] = weight->columns == SIZE ? (j % 4 ? 10 : -1000) : 0;
    return NULL;
}

static const hk_initializer dark = {.traits = HK_FILLS_BIAS, .fill = fill};
HK_BUNDLE({HK_INITIALIZER_ROW(dark), .initializer = &dark,
           .summary = "N(0, 2 / fan_in), a quarter dark", .source = "hillock's tests"});
