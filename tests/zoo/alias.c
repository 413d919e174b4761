/* names, "an alias is taken": it calls itself relu as well */
#include "zoo.h"

HK_VALUE(return 2 * a.x;)
HK_SLOPE(return (void)a.x, 2;)
HK_ELEMENTWISE(animal, HK_READS_X, .aliases = "relu", WORDS);
