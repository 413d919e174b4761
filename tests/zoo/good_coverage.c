/* good: built for gcov, whose counters are not the plugin's */
/* flags: --coverage */
#include "zoo.h"

HK_VALUE(return a.x < 0 ? 0 : a.x;)
HK_SLOPE(return a.x < 0 ? 0 : 1;)
HK_ELEMENTWISE(animal, HK_READS_X, WORDS);
