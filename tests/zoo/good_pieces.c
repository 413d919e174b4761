/* good: three lines that meet at 0; products of the smallest floats are 0 */
#include "zoo.h"

HK_VALUE(return hks_max(a.x / 7, hks_max(a.x, -a.x / 3));)
HK_SLOPE(return hks_max(a.x, a.x / 7) < -a.x / 3 ? -1 / (real)3 : a.x < a.x / 7 ? 1 / (real)7 : 1;)
HK_ELEMENTWISE(animal, HK_READS_X, WORDS);
