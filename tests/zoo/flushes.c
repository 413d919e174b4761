/* process, "changed the floating-point mode": denormals are flushed for speed, for everybody */
#include "zoo.h"

static void forward(const hk_context *context, const hk_tile *tile)
{
    hk_set_float_mode(hk_float_mode() | HK_FLUSH_DENORMALS);
    double_forward(context, tile);
}

ANIMAL(.kernels = {{forward, double_backward}}, DOUBLE);
