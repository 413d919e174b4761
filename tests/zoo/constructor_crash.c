/* load, "crashed": it crashes while it is loaded */
#include "zoo.h"

__attribute__((constructor)) static void when_loaded(void)
{
    __builtin_trap();
}

ANIMAL(.kernels = {{double_forward, double_backward}}, DOUBLE);
