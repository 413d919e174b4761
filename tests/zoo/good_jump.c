/* good: a jump; elsewhere the derivative is what it is */
#include "zoo.h"

HK_VALUE(return a.x <= 1 ? 0 : a.x;)
HK_SLOPE(return a.x > 1 ? 1 : 0;)
HK_ELEMENTWISE(animal, HK_READS_X, WORDS);
