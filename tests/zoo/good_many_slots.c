/* good: sixteen learned slots: y = sum of t[k] tanh(x + k / 4 - 2) */
#include "many_slots.h"

HK_SLOTS(FOUR_SLOTS("a", HK_PER_CHANNEL, 0.1), FOUR_SLOTS("b", HK_PER_CHANNEL, 0.1),
         FOUR_SLOTS("c", HK_SHARED, 0.1), FOUR_SLOTS("d", HK_PER_CHANNEL, 0.1));

#define TANH(k) hks_tanh(a.x + (real)0.25 * (real)(k)-2)

HK_VALUE(real y = 0; for (int k = 0; k < HK_MAX_SLOTS; k++) y += a.t[k] * TANH(k); return y;)
HK_SLOPE(real slope = 0;
         for (int k = 0; k < HK_MAX_SLOTS; k++) slope += a.t[k] * (1 - TANH(k) * TANH(k));
         return slope;)
HK_GRADIENT(return TANH(slot);)
HK_ELEMENTWISE_LEARNED(many_slots, HK_READS_X, WORDS);
