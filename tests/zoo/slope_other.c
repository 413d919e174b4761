/* derivative: silu with the derivative of sigmoid */
#include "zoo.h"

HK_VALUE(return a.x * hks_sigmoid(a.x);)
HK_SLOPE(return hks_sigmoid(a.x) * hks_sigmoid(-a.x);)
HK_ELEMENTWISE(animal, HK_READS_X, WORDS);
