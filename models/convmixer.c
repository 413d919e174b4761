/* ConvMixer: Trockman, Kolter 2022, arXiv:2201.09792, figure 3; width 256, depth 8, kernel 5 and patch 2
 * are those of its experiments on CIFAR-10 (section 3.3). As there, a normalization stands behind the
 * activation. Departure: the activation under test in place of gelu. */
#include <hillock/model.h>

enum { WIDTH, DEPTH, KERNEL, PATCH };
HK_PARAMS(
    {.name = "width", .doc = "channels", .type = HK_INTEGER, .value = 256, .low = 1, .high = 4096},
    {.name = "depth", .doc = "blocks", .type = HK_INTEGER, .value = 8, .low = 0, .high = 256},
    {.name = "kernel",
     .doc = "side of the depthwise convolutions",
     .type = HK_INTEGER,
     .value = 5,
     .low = 1,
     .high = 31},
    {.name = "patch",
     .doc = "side of the patches that the first layer sees",
     .type = HK_INTEGER,
     .value = 2,
     .low = 1,
     .high = 64});

static hk_tensor *finish(hk_tensor *x)
{
    return hk_norm(hk_act(x));
}

/* Mixes places, around which the residual goes, then channels. */
static hk_tensor *block(hk_tensor *x, int width, int kernel)
{
    x = hk_add(finish(hk_conv(x, width, kernel, .groups = width)), x);
    return finish(hk_conv(x, width, 1));
}

static hk_tensor *build(hk_tensor *x, int classes, const double *p)
{
    const int width = (int)p[WIDTH], patch = (int)p[PATCH]; /* input     32 x 32 x   3 */
    x = hk_conv(x, width, patch, .stride = patch, .padding = HK_VALID);
    x = finish(x); /* patches   16 x 16 x 256 */
    for (int i = 0; i < (int)p[DEPTH]; i++)
        x = block(x, width, (int)p[KERNEL]);         /*           16 x 16 x 256 */
    return hk_linear(hk_global_avgpool(x), classes); /*                      10 */
}

HK_RECIPES({.data = "cifar-10", .optimizer = "adamw:lr=0.01,decay=0.005"});

static const hk_model model = {.build = build,
                               .height = 32,
                               .width = 32,
                               .channels = 3,
                               .smallest = 2,
                               .parameters = 594186,
                               .recipes = recipes};

HK_MODEL(convmixer, model, .params = params,
         .summary = "patches, eight blocks of depthwise and 1 x 1 convolutions",
         .source = "Trockman, Kolter 2022");
