/* count, "has 340 parameters and declares 170": a model with one layer more than it says */
#include "model.h"

static hk_tensor *build(hk_tensor *x, int classes, const double *p)
{
    (void)p;
    return hk_add(hk_linear(x, classes), hk_linear(x, classes));
}

MODEL();
