/* special, "NaN at x becomes": a comparison turns NaN into 0 */
#include "zoo.h"

HK_VALUE(return a.x > 0 ? a.x : 0;)
HK_SLOPE(return a.x > 0 ? 1 : 0;)
HK_ELEMENTWISE(animal, HK_READS_X, WORDS);
