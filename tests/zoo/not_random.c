/* random, "keys give the same numbers": random numbers are declared and none is drawn */
#include "zoo.h"

HK_VALUE(return 2 * a.x;)
HK_SLOPE(return (void)a.x, 2;)
HK_ELEMENTWISE(animal, HK_READS_X | HK_STOCHASTIC, WORDS);
