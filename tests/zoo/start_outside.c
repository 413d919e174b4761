/* start, "outside [0, 1]": start() writes values outside the slot's range */
#include "zoo.h"

HK_SLOTS({.name = "scale",
          .doc = "factor",
          .role = HK_LEARNED,
          .extent = HK_PER_CHANNEL,
          .value = 0.5,
          .high = 1});

static void start(const hk_context *context)
{
    for (int64_t j = 0; j < context->channels; j++)
        context->slots[0][j] = 2;
}

HK_VALUE(return a.t[0] * a.x;)
HK_SLOPE(return (void)a.x, a.t[0];)
HK_GRADIENT(return a.x;)
HK_ELEMENTWISE_LEARNED(animal, HK_READS_X, .start = start, WORDS);
