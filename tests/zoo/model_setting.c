/* parameters, "which its parameters allow": with widen=1 what is added has other channels */
#include "model.h"

HK_PARAMS(
    {.name = "widen", .doc = "1: twice", .type = HK_INTEGER, .value = 0, .low = 0, .high = 1});
static hk_tensor *build(hk_tensor *x, int classes, const double *p)
{
    hk_tensor *y = hk_conv(x, p[0] > 0 ? 4 : 2, 3);
    return hk_linear(hk_global_avgpool(hk_add(y, hk_conv(x, 2, 3))), classes);
}

static const hk_model animal = {.build = build, .height = 4, .width = 4, .channels = 1};
HK_MODEL(animal, animal, .params = params, .summary = "a fault", .source = "hillock's tests");
