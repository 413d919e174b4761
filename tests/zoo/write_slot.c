/* memory, "wrote count, which it may only read": state changes in forward */
#include "zoo.h"

HK_SLOTS({.name = "count", .doc = "calls so far", .role = HK_STATE, .extent = HK_SHARED});

static void forward(const hk_context *context, const hk_tile *tile)
{
    context->slots[0][0] += 1;
    double_forward(context, tile);
}

static const hk_activation counting = {.kernels = {{forward, double_backward}}, DOUBLE};
HK_BUNDLE({HK_ACTIVATION_ROW(animal), .activation = &counting, .slots = slots, WORDS});
