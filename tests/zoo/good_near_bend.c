/* good: a power that is linear within 1e-12 of 0, nearer than any usual difference */
#include "zoo.h"

#define SIZE hks_max((real)1e-12, hks_abs(a.x))
#define ROOT hks_sqrt(SIZE)
HK_VALUE(return a.x * ROOT;)
HK_SLOPE(return (hks_abs(a.x) < (real)1e-12 ? 1 : (real)1.5) * ROOT;)
HK_ELEMENTWISE(good_near_bend, HK_READS_X, WORDS);
