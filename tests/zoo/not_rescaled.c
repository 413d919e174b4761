/* random, "of evaluation": what is dropped is missing in what is kept */
#include "zoo.h"

HK_VALUE(return a.training && a.u < (real)0.25 ? 0 * a.x : hks_tanh(a.x);)
HK_SLOPE(return a.training && a.u < (real)0.25 ? 0 : hks_sech2(a.x);)
HK_ELEMENTWISE(animal, HK_READS_X | HK_STOCHASTIC, WORDS);
