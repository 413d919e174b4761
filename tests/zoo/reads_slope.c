/* reads, "depends on x": the slope looks at x, only y is declared */
#include "zoo.h"

HK_VALUE(return hks_tanh(a.x);)
HK_SLOPE(const real y = hks_tanh(a.x); return 1 - y * y;)
HK_ELEMENTWISE(animal, HK_READS_Y, WORDS);
