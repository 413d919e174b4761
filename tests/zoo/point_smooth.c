/* derivative, "at x = 0 the derivative is 0, expected 0.5": a guard where none is needed */
#include "zoo.h"

HK_VALUE(return a.x * hks_sigmoid(a.x);)
HK_SLOPE(const real s = hks_sigmoid(a.x); return a.x == 0 ? 0 : s + a.x * s * hks_sigmoid(-a.x);)
HK_ELEMENTWISE(point_smooth, HK_READS_X, WORDS);
