/* process, "changed the locale": it changes the locale */
#include "zoo.h"

#include <locale.h>

static void forward(const hk_context *context, const hk_tile *tile)
{
    setlocale(LC_ALL, "C.UTF-8");
    double_forward(context, tile);
}

ANIMAL(.kernels = {{forward, double_backward}}, DOUBLE);
