/* good: a random slope, drawn again in backward */
#include "zoo.h"

#define SLOPE (a.training ? a.u : (real)0.5)
HK_VALUE(return a.x < 0 ? SLOPE * a.x : a.x;)
HK_SLOPE(return a.x > 0 ? 1 : SLOPE;)
HK_ELEMENTWISE(animal, HK_READS_X | HK_STOCHASTIC, WORDS);
