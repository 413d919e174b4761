/* memory, "channels_out()": slots are read, of which there are none when a net is built */
#include "zoo.h"

HK_SLOTS({.name = "wide",
          .doc = "not 0: as many channels as come",
          .role = HK_STATE,
          .extent = HK_SHARED,
          .value = 1});
static int64_t channels_out(const hk_context *context, int64_t channels)
{
    return context->slots[0][0] != 0 ? channels : 0;
}
static const hk_activation table = {.kernels = {{double_forward, double_backward}},
                                    .channels_out = channels_out};
HK_BUNDLE({HK_ACTIVATION_ROW(animal), .activation = &table, .slots = slots, WORDS});
