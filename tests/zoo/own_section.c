/* process, "wrote to a variable of the file": it counts its calls, in a section of its own */
#include "zoo.h"

__attribute__((section(".own"), used)) static volatile int calls = 1;

static void forward(const hk_context *context, const hk_tile *tile)
{
    calls++;
    double_forward(context, tile);
}
ANIMAL(.kernels = {{forward, double_backward}}, DOUBLE);
