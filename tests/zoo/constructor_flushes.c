/* load, "floating-point mode": it flushes denormals from then on, as start-up code of -ffast-math */
#include "zoo.h"

#include <xmmintrin.h>

__attribute__((constructor)) static void when_loaded(void)
{
    _mm_setcsr(_mm_getcsr() | 0x8040);
}

ANIMAL(.kernels = {{double_forward, double_backward}}, DOUBLE);
