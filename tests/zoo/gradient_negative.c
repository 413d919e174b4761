/* gradients, "expected -": a gradient that is right as long as the slot is above 0 */
#include "zoo.h"

HK_SLOTS(
    {.name = "scale", .doc = "a factor", .role = HK_LEARNED, .extent = HK_PER_CHANNEL, .value = 1});
HK_VALUE(return hks_abs(a.t[0]) * a.x;)
HK_SLOPE(return hks_abs(a.t[0]);)
HK_GRADIENT(return a.x;)
HK_ELEMENTWISE_LEARNED(gradient_negative, HK_READS_X, WORDS);
