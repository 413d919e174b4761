/* derivative, "(channel 256)": the slope takes the channel's number for a byte */
#include "zoo.h"

HK_VALUE(return (a.channel < 256 ? 1 : 2) * hks_tanh(a.x);)
HK_SLOPE(return ((uint8_t)a.channel < 256 ? 1 : 2) * hks_sech2(a.x);)
HK_ELEMENTWISE(channel_byte, HK_READS_X, WORDS);
