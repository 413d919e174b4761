/* processor, "baseline: a kernel runs an instruction of avx": compiled for this machine, for all machines */
/* flags: -mavx2 */
#include "zoo.h"

HK_VALUE(return hks_tanh(a.x);)
HK_SLOPE(return hks_sech2(a.x);)
HK_ELEMENTWISE(newer, HK_READS_X, WORDS);
