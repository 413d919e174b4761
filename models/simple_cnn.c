/* A small convolutional network whose second convolution has an activation of its own: prelu, He,
 * Zhang, Ren, Sun 2015, arXiv:1502.01852, unless the net's choice names conv2.
 * norm: before each activation; dropout: of fc1. */
#include <hillock/model.h>

enum { NORM, DROPOUT };
HK_PARAMS(HK_NORM_PARAM(0), HK_DROPOUT_PARAM);

static hk_tensor *norm(hk_tensor *x, const double *p)
{
    return p[NORM] > 0 ? hk_norm(x) : x;
}

static hk_tensor *build(hk_tensor *x, int classes, const double *p)
{                                                           /* input     28 x 28 x   1 */
    x = hk_act(norm(hk_conv(x, 32, 3), p));                 /* conv1     28 x 28 x  32 */
    x = hk_maxpool(x, 2, .padding = HK_VALID);              /*           14 x 14 x  32 */
    x = hk_act(norm(hk_conv(x, 64, 3), p), .use = "prelu"); /* conv2     14 x 14 x  64 */
    x = hk_maxpool(x, 2, .padding = HK_VALID);              /*            7 x  7 x  64 */
    x = hk_act(norm(hk_linear(x, 128), p));                 /* fc1                 128 */
    x = hk_dropout(x, p[DROPOUT]);
    return hk_linear(x, classes); /* fc2                  10 */
}

HK_RECIPES({.data = "",
            .optimizer = "adam:lr=0.001",
            .schedule = "step:every=12.5%,factor=0.65",
            .augment = "none",
            .epochs = 8});

static const hk_model model = {.build = build,
                               .height = 28,
                               .width = 28,
                               .channels = 1,
                               .smallest = 4,
                               .parameters = 421706,
                               .recipes = recipes};

HK_MODEL(simple_cnn, model, .params = params,
         .summary = "two convolutions, the second with prelu, two dense layers",
         .source = "He et al. 2015");
