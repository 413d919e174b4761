/* A MobileNet for 32 x 32 images: Howard et al. 2017, arXiv:1704.04861, table 1, its first layers.
 * Departures: the first convolution keeps the size; five separable blocks instead of thirteen;
 * where relu is asked for it is relu6, as in Sandler et al. 2018, arXiv:1801.04381.
 * dropout: of the dense layer's input. */
#include <hillock/model.h>
#include <string.h>

HK_PARAMS(HK_DROPOUT_PARAM);

static hk_tensor *finish(hk_tensor *x)
{
    if (!x)
        return NULL;
    const char *choice = hk_net_activation(hk_tensor_net(x));
    int is_relu = strncmp(choice, "relu", 4) == 0 && (choice[4] == '\0' || choice[4] == '+');
    return hk_act(hk_norm(x), .use = is_relu ? "relu6" : NULL); /* NULL: the net's choice */
}

/* Depthwise 3 x 3, then pointwise 1 x 1: section 3.1. */
static hk_tensor *separable(hk_tensor *x, int filters, int stride)
{
    if (!x)
        return NULL;
    int channels = (int)hk_tensor_shape(x).dims[3];
    x = finish(hk_conv(x, channels, 3, .stride = stride, .groups = channels, .pad = 1));
    return finish(hk_conv(x, filters, 1));
}

static hk_tensor *build(hk_tensor *x, int classes, const double *p)
{                                  /* input     32 x 32 x   3 */
    x = finish(hk_conv(x, 32, 3)); /*           32 x 32 x  32 */
    x = separable(x, 64, 1);       /*           32 x 32 x  64 */
    x = separable(x, 128, 2);      /*           16 x 16 x 128 */
    x = separable(x, 128, 1);      /*           16 x 16 x 128 */
    x = separable(x, 256, 2);      /*            8 x  8 x 256 */
    x = separable(x, 256, 1);      /*            8 x  8 x 256 */
    x = hk_global_avgpool(x);      /*                     256 */
    x = hk_dropout(x, p[0]);
    return hk_linear(x, classes); /*                      10 */
}

HK_RECIPES({.data = "cifar-10", .optimizer = "sgd:lr=0.05,momentum=0.9,decay=5e-4"});

static const hk_model model = {.build = build,
                               .height = 32,
                               .width = 32,
                               .channels = 3,
                               .parameters = 136778,
                               .recipes = recipes};

HK_MODEL(mobilenet, model, .params = params,
         .summary = "five depthwise-separable convolutions, relu6 for relu",
         .source = "Howard et al. 2017");
