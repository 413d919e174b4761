/* formula, "value() is": silu, said to be quick_gelu */
#include "zoo.h"

HK_VALUE(return a.x * hks_sigmoid(a.x);)
HK_SLOPE(return hks_sigmoid(a.x) * (1 + a.x * hks_sigmoid(-a.x));)
HK_ELEMENTWISE(animal, HK_READS_X, WORDS, .formula = "x*sigmoid(1.702*x)");
