/* derivative: the derivative goes on where the function is cut off, beyond 6 */
#include "zoo.h"

HK_VALUE(return hks_min(6, hks_max(0, a.x));)
HK_SLOPE(return a.x > 0 ? 1 : 0;)
HK_ELEMENTWISE(animal, HK_READS_X, WORDS);
