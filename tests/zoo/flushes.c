/* process, "changed the floating-point mode": denormals are flushed for speed, for everybody */
#include "zoo.h"

#include <xmmintrin.h>

static void forward(const hk_context *context, const hk_tile *tile)
{
    _mm_setcsr(_mm_getcsr() | 0x8040);
    double_forward(context, tile);
}

ANIMAL(.kernels = {{forward, double_backward}}, DOUBLE);
