/* derivative, "channel": the slope of every third channel forgets its factor */
#include "zoo.h"

HK_VALUE(return a.channel % 3 == 2 ? hks_atan(3 * a.x) : hks_atan(a.x);)
HK_SLOPE(return 1 / (1 + a.x * a.x);)
HK_ELEMENTWISE(animal, HK_READS_X, WORDS);
