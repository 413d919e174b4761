/* good: a straight line that becomes a steep parabola: a kink beside which the curve bends */
#include "zoo.h"

HK_VALUE(return a.x < 0 ? -a.x : 50 * a.x * a.x;)
HK_SLOPE(return a.x < 0 ? -1 : 100 * a.x;)
HK_ELEMENTWISE(animal, HK_READS_X, WORDS);
