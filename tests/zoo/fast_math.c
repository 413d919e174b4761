/* load, "floating-point mode": built with -ffast-math, whose start-up code flushes denormals */
/* flags: -ffast-math -U__FAST_MATH__ */
#include "zoo.h"

ANIMAL(.kernels = {{double_forward, double_backward}}, DOUBLE);
