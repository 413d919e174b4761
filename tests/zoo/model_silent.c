/* sizes, "build() returned NULL, and no layer says why": a model that refuses without a word */
#include "model.h"

static hk_tensor *build(hk_tensor *x, int classes, const double *p)
{
    (void)p;
    return classes < 100 ? hk_linear(x, classes) : NULL;
}

MODEL();
