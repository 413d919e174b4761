/* sizes, "build() with 1 x 1 read through a NULL pointer": a model that knows one size of images */
#include "model.h"

static hk_tensor *build(hk_tensor *x, int classes, const double *p)
{
    (void)p;
    if (hk_tensor_shape(x).dims[1] != 4)
        classes += *(const volatile int *)(long)classes; /* an address below 64 KiB */
    return hk_linear(x, classes);
}

MODEL(.smallest = 1);
