/* memory, "read 0 bytes after the last float of x": the next element is fetched too early */
#include "zoo.h"

static void forward(const hk_context *context, const hk_tile *tile)
{
    const volatile float *x = tile->x; /* a compiler may leave out what nobody reads */
    float next = x[0];
    for (int64_t i = 0; i < COUNT; i++) {
        tile->y[i] = 2 * next;
        next = x[i + 1];
    }
}

ANIMAL(.kernels = {{forward, double_backward}}, DOUBLE);
