/* file, "imports rand: random numbers come from the key": a model that is another one each time */
#include "model.h"
#include <stdlib.h>

static hk_tensor *build(hk_tensor *x, int classes, const double *p)
{
    (void)p;
    return hk_linear(rand() % 2 ? hk_act(x) : x, classes);
}

MODEL();
