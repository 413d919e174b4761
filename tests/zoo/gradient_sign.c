/* gradients, "slope is": a learned slope gets its gradient with the wrong sign */
#include "zoo.h"

HK_SLOTS({.name = "slope",
          .doc = "slope where x is negative",
          .role = HK_LEARNED,
          .extent = HK_PER_CHANNEL,
          .value = 0.25});
HK_VALUE(return a.x > 0 ? a.x : a.t[0] * a.x;)
HK_SLOPE(return a.x > 0 ? 1 : a.t[0];)
HK_GRADIENT(return a.x > 0 ? 0 : -a.x;)
HK_ELEMENTWISE_LEARNED(animal, HK_READS_X, WORDS);
