/* process, "asked for more than": it takes memory until there is none */
#include "zoo.h"

#include <stdlib.h>

static void forward(const hk_context *context, const hk_tile *tile)
{
    double_forward(context, tile);
    for (void *volatile kept;;) { /* a compiler may leave out memory that nobody reads */
        kept = malloc(1 << 22);
        memset(kept, 1, 1 << 22); /* what is not touched does not count as taken */
    }
}

ANIMAL(.kernels = {{forward, double_backward}}, DOUBLE);
