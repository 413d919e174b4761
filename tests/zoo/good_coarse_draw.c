/* good: -1 or 1 in training, as likely as the mean asks; evaluation is the sign: no random law is linear */
#include "zoo.h"

#define MEAN hks_min(1, hks_max(-1, a.x))
HK_VALUE(return a.x != a.x ? a.x : !a.training ? (a.x < 0 ? -1 : 1) : 2 * a.u < 1 + MEAN ? 1 : -1;)
HK_SLOPE(return a.surrogate && hks_abs(a.x) < 1 ? 1 : 0 * a.x;)
HK_ELEMENTWISE(animal, HK_READS_X | HK_STOCHASTIC | HK_SURROGATE, WORDS);
