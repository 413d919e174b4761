/* slots, "which is learned": update() changes what the optimizer trains */
#include "zoo.h"

HK_SLOTS({.name = "theta", .doc = "threshold", .role = HK_LEARNED, .extent = HK_PER_CHANNEL});

static void update(const hk_context *context, const hk_activity *seen)
{
    (void)seen;
    context->slots[0][0] += 1e-3f;
}

HK_VALUE(return hks_sigmoid(a.x - a.t[0]);)
HK_SLOPE(return a.y * (1 - a.y);)
HK_GRADIENT(return -a.y * (1 - a.y);)
HK_SUM(return a.y;)
HK_ELEMENTWISE_LEARNED_ADAPTIVE(animal, HK_READS_Y, update, WORDS);
