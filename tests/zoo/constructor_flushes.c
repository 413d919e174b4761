/* load, "floating-point mode": it flushes denormals from then on, as start-up code of -ffast-math */
#include "zoo.h"

__attribute__((constructor)) static void when_loaded(void)
{
    hk_set_float_mode(hk_float_mode() | HK_FLUSH_DENORMALS);
}

ANIMAL(.kernels = {{double_forward, double_backward}}, DOUBLE);
