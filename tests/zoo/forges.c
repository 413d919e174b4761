/* load, "malformed report": it crashes, after lines in the name of the worker that are not even text */
#include "zoo.h"
#include <stdio.h>

__attribute__((constructor)) static void when_loaded(void)
{
    for (int fd = 3; fd < 16; fd++)
        dprintf(fd, "P\tactivation\t\xff\nT\t9223372036854775807\t\xff\nR\to\t\xff\n");
    __builtin_trap();
}

ANIMAL(.kernels = {{double_forward, double_backward}}, DOUBLE);
