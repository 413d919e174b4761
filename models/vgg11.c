/* VGG-11 for 32 x 32 images: Simonyan, Zisserman 2015, arXiv:1409.1556, table 1, column A.
 * Departures: a normalization after every convolution unless norm=0; one dense layer instead of three,
 * so that the dropout of their inputs, which is 0.5 in section 3.1, is that of one. */
#include <hillock/model.h>

enum { NORM, DROPOUT };
HK_PARAMS(HK_NORM_PARAM(1), HK_DROPOUT_PARAM);

static hk_tensor *unit(hk_tensor *x, int filters, const double *p)
{
    x = hk_conv(x, filters, 3);
    return hk_act(p[NORM] > 0 ? hk_norm(x) : x);
}

static hk_tensor *pool(hk_tensor *x)
{
    return hk_maxpool(x, 2, .padding = HK_VALID);
}

static hk_tensor *build(hk_tensor *x, int classes, const double *p)
{                                            /* input     32 x 32 x   3 */
    x = pool(unit(x, 64, p));                /*           16 x 16 x  64 */
    x = pool(unit(x, 128, p));               /*            8 x  8 x 128 */
    x = pool(unit(unit(x, 256, p), 256, p)); /*            4 x  4 x 256 */
    x = pool(unit(unit(x, 512, p), 512, p)); /*            2 x  2 x 512 */
    x = pool(unit(unit(x, 512, p), 512, p)); /*            1 x  1 x 512 */
    x = hk_dropout(x, p[DROPOUT]);
    return hk_linear(x, classes); /*                      10 */
}

HK_RECIPES({.data = "cifar-10", .optimizer = "sgd:lr=0.05,momentum=0.9,decay=5e-4"});

static const hk_model model = {.build = build,
                               .height = 32,
                               .width = 32,
                               .channels = 3,
                               .smallest = 32,
                               .parameters = 9228362,
                               .recipes = recipes};

HK_MODEL(vgg11, model, .params = params, .summary = "eight convolutions, five poolings",
         .source = "Simonyan, Zisserman 2015");
