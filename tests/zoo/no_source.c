/* tables, "has no source": nobody says where the formula comes from */
#include "zoo.h"

HK_VALUE(return 2 * a.x;)
HK_SLOPE(return (void)a.x, 2;)
HK_ELEMENTWISE(animal, HK_READS_X, .summary = "2 * x");
