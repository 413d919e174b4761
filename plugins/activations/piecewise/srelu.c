/* srelu: three straight pieces, x in the middle; ends and slopes of the outer ones are learned for
 * each channel.
 * Jin, Xu, Feng, Wei, Xiong, Yan 2016, arXiv:1512.07030 */
#include <hillock/kernel.h>

enum { TL, AL, TR, AR };
#define LEARNED .role = HK_LEARNED, .extent = HK_PER_CHANNEL, .flags = HK_NO_DECAY
HK_SLOTS({.name = "tl", .doc = "where the left piece ends", LEARNED, .value = 0},
         {.name = "al", .doc = "slope of the left piece", LEARNED, .value = 0.2},
         {.name = "tr", .doc = "where the right piece begins", LEARNED, .value = 1},
         {.name = "ar", .doc = "slope of the right piece", LEARNED, .value = 1});

HK_VALUE(const real left = a.t[TL] + a.t[AL] * (a.x - a.t[TL]);
         const real right = a.t[TR] + a.t[AR] * (a.x - a.t[TR]); return a.x >= a.t[TR]   ? right
                                                                        : a.x <= a.t[TL] ? left
                                                                                         : a.x;)
HK_SLOPE(return a.x >= a.t[TR] ? a.t[AR] : a.x <= a.t[TL] ? a.t[AL] : 1;)
HK_GRADIENT(const int at_right = a.x >= a.t[TR];
            const int here = slot == TR || slot == AR ? at_right : !at_right && a.x <= a.t[TL];
            const real edge = slot == TR || slot == AR ? a.t[TR] : a.t[TL];
            const real rate = slot == TR ? a.t[AR] : a.t[AL];
            return !here                      ? 0
                   : slot == TR || slot == TL ? 1 - rate
                                              : a.x - edge;)

HK_ELEMENTWISE_LEARNED(srelu, HK_READS_X, .aliases = "s_shaped_relu", .tags = "piecewise",
                       .formula = "x >= tr ? tr + ar*(x - tr) : x <= tl ? tl + al*(x - tl) : x",
                       .summary = "tl + al (x - tl), x, tr + ar (x - tr), all learned",
                       .source = "Jin, Xu, Feng, Wei, Xiong, Yan 2016");
