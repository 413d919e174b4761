/* variance, "have the product": columns of length 1, which are not orthogonal */
#include "zoo.h"

static const char *fill(const hk_context *context, const hk_weight *weight)
{
    (void)context;
    const float deviation = 1 / sqrtf((float)weight->rows);
    for (int64_t i = 0; i < weight->count; i++)
        weight->w[i] = deviation * hks_normal(weight->key, (uint64_t)i);
    return NULL;
}
static const hk_initializer animal = {.fill = fill};
HK_BUNDLE({HK_INITIALIZER_ROW(animal), .initializer = &animal,
           .summary = "a random orthogonal matrix", .source = "hillock's tests"});
