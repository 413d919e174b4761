/* formula, "no value() to prove it by": kernels alone, with a formula */
#include "zoo.h"

HK_BLOCK_KERNELS(double_forward, double_backward)
static const hk_activation animal = {.traits = HK_IN_PLACE, .kernels = HK_KERNELS};
HK_BUNDLE({HK_ACTIVATION_ROW(animal), .activation = &animal, WORDS, .formula = "2*x"});
