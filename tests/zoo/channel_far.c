/* derivative, "(channel 32)": the slope belongs to the channel 32 before */
#include "zoo.h"

#define SCALE(channel) (1 + (real)((channel) % 64) / 64)
HK_VALUE(return SCALE(a.channel) * hks_tanh(a.x);)
HK_SLOPE(return SCALE(a.channel % 32) * hks_sech2(a.x);)
HK_ELEMENTWISE(channel_far, HK_READS_X, WORDS);
