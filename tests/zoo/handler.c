/* process, "handler for signal": it ignores a signal of the program */
#include "zoo.h"

#include <signal.h>

static void forward(const hk_context *context, const hk_tile *tile)
{
    signal(SIGUSR1, SIG_IGN);
    double_forward(context, tile);
}

ANIMAL(.kernels = {{forward, double_backward}}, DOUBLE);
