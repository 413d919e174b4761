/* file, "when it is loaded": code that runs when it is loaded */
#include "zoo.h"

static volatile int loaded;

__attribute__((constructor)) static void when_loaded(void)
{
    loaded = 1;
}

ANIMAL(.kernels = {{double_forward, double_backward}}, DOUBLE);
