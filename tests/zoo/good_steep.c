/* good: steep and periodic, so that a rounding of x shows in y */
#include "zoo.h"

HK_VALUE(return hks_sin(hks_min(3000, hks_max(-3000, 30 * a.x)));)
HK_SLOPE(return hks_abs(a.x) < 100 ? 30 * hks_cos(30 * a.x) : 0;)
HK_ELEMENTWISE(animal, HK_READS_X, WORDS);
