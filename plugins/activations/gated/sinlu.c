/* sinlu: (x + a sin(b x)) sigmoid(x), a and b learned for each channel.
 * Paul, Bandyopadhyay, Yoon, Geem, Sarkar 2022, Mathematics 10(3), "SinLU". */
#include <hillock/kernel.h>

enum { A, B };
HK_SLOTS({.name = "a",
          .doc = "height of the wave",
          .role = HK_LEARNED,
          .extent = HK_PER_CHANNEL,
          .flags = HK_NO_DECAY,
          .value = 1},
         {.name = "b",
          .doc = "frequency of the wave",
          .role = HK_LEARNED,
          .extent = HK_PER_CHANNEL,
          .flags = HK_NO_DECAY,
          .value = 1});

#define WAVE hks_sin(a.t[B] * a.x)
#define SHIFTED hks_cos(a.t[B] * a.x)

HK_VALUE(return (a.x + a.t[A] * WAVE) * hks_quick_sigmoid(a.x);)
HK_SLOPE(const real s = hks_quick_sigmoid(a.x); const real ends = s * hks_quick_sigmoid(-a.x);
         return (1 + a.t[A] * a.t[B] * SHIFTED) * s + (a.x + a.t[A] * WAVE) * ends;)
HK_GRADIENT(const real s = hks_quick_sigmoid(a.x);
            return slot == A ? WAVE * s : a.t[A] * SHIFTED * (a.x * s);)

HK_ELEMENTWISE_LEARNED(sinlu, HK_READS_X, .tags = "gated", .formula = "(x + a*sin(b*x))*sigmoid(x)",
                       .summary = "(x + a * sin(b * x)) * sigmoid(x), both learned",
                       .source = "Paul, Bandyopadhyay, Yoon, Geem, Sarkar 2022");
