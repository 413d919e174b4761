/* derivative, "the derivative is": clipped at 40, while the slope goes on to 46 */
#include "zoo.h"

HK_VALUE(return hks_max(-40, a.x);)
HK_SLOPE(return a.x < -46 ? 0 : 1;)
HK_ELEMENTWISE(animal, HK_READS_X, WORDS);
