/* good: built to find undefined behaviour, of which there is none */
/* flags: -fsanitize=undefined */
#include "zoo.h"

HK_VALUE(return a.x < 0 ? 0 : a.x;)
HK_SLOPE(return a.x < 0 ? 0 : 1;)
HK_ELEMENTWISE(animal, HK_READS_X, WORDS);
