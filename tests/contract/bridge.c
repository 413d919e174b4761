/* A model of the contract's first day: every layer function that a small net has, and a branch. */
#include <hillock/model.h>

HK_PARAMS(
    {.name = "width", .doc = "filters", .type = HK_INTEGER, .value = 8, .low = 1, .high = 256});
HK_RECIPES({.data = "glyphs",
            .optimizer = "sgd:lr=0.05",
            .schedule = "constant",
            .epochs = 1,
            .batch = 20});

static hk_tensor *build(hk_tensor *x, int classes, const double *p)
{
    const int width = (int)p[0];
    x = hk_maxpool(hk_act(hk_norm(hk_conv(x, width, 3, .stride = 2))), 2);
    x = hk_add(x, hk_act(hk_norm(hk_conv(x, width, 3, .groups = width))));
    x = hk_act(hk_norm(hk_conv(x, 2 * width, 1)));
    return hk_linear(hk_act(hk_linear(hk_avgpool(x, 2), 16)), classes);
}

static const hk_model bridge = {
    .build = build, .height = 28, .width = 28, .channels = 1, .smallest = 4, .recipes = recipes};
HK_MODEL(bridge, bridge, .params = params, .summary = "three convolutions, one beside a branch",
         .source = "Hillock");
