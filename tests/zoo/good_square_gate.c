/* good: halves gated by a square that begins at 0: a kink of the slope, in a kernel without reference */
#include "zoo.h"

HK_GATE(return a.x < 0 ? 0 : a.x * a.x;)
HK_GATE_SLOPE(return a.x < 0 ? 0 : 2 * a.x;)
HK_GATED_HALVES(animal, WORDS);
