/* derivative, "the derivative is": without its surrogate the slope is still not that of the value */
#include "zoo.h"

HK_VALUE(return hks_min(1, hks_max(-1, a.x));)
HK_SLOPE(return a.surrogate ? 1 : hks_abs(a.x) < 2 ? 1 : 0;)
HK_ELEMENTWISE(animal, HK_READS_X | HK_SURROGATE, WORDS);
