/* DenseNet-BC for CIFAR: Huang, Liu, van der Maaten, Weinberger 2017, arXiv:1608.06993, section 3 and
 * table 2. Three dense blocks; layers=16 is its L = 100, layers=6 a small one of L = 40. */
#include <hillock/model.h>

enum { LAYERS, GROWTH, DROPOUT };
HK_PARAMS({.name = "layers",
           .doc = "of a dense block, each two convolutions",
           .type = HK_INTEGER,
           .value = 6,
           .low = 1,
           .high = 64},
          {.name = "growth",
           .doc = "channels that a layer adds",
           .type = HK_INTEGER,
           .value = 12,
           .low = 1,
           .high = 256},
          {.name = "dropout",
           .doc = "share of what a layer adds that is dropped in training",
           .type = HK_REAL,
           .flags = HK_HIGH_OPEN,
           .value = 0,
           .low = 0,
           .high = 1});

/* What a layer adds is kept for all that follow: BN, activation, 1 x 1; BN, activation, 3 x 3. */
static hk_tensor *layer(hk_tensor *x, const double *p)
{
    const int growth = (int)p[GROWTH];
    hk_tensor *y = hk_conv(hk_act(hk_norm(x)), 4 * growth, 1);
    y = hk_conv(hk_act(hk_norm(y)), growth, 3, .no_bias = 1);
    return hk_concat(hk_dropout(y, p[DROPOUT]), x);
}

static hk_tensor *block(hk_tensor *x, const double *p)
{
    for (int i = 0; i < (int)p[LAYERS]; i++)
        x = layer(x, p);
    return x;
}

/* Half as many channels, and a quarter of the places. */
static hk_tensor *transition(hk_tensor *x)
{
    if (!x)
        return NULL;
    const int channels = (int)hk_tensor_shape(x).dims[3];
    return hk_avgpool(hk_conv(hk_act(hk_norm(x)), channels / 2, 1, .no_bias = 1), 2);
}

static hk_tensor *build(hk_tensor *x, int classes, const double *p)
{                                                        /* input     32 x 32 x   3 */
    x = hk_conv(x, 2 * (int)p[GROWTH], 3, .no_bias = 1); /*           32 x 32 x  24 */
    x = transition(block(x, p));                         /*           16 x 16 x  48 */
    x = transition(block(x, p));                         /*            8 x  8 x  60 */
    x = hk_act(hk_norm(block(x, p)));                    /*            8 x  8 x 132 */
    return hk_linear(hk_global_avgpool(x), classes);     /*                      10 */
}

HK_RECIPES({.data = "cifar-10", .optimizer = "sgd:lr=0.1,momentum=0.9,nesterov=1,decay=1e-4"});

static const hk_model model = {.build = build,
                               .height = 32,
                               .width = 32,
                               .channels = 3,
                               .parameters = 176122,
                               .recipes = recipes};

HK_MODEL(densenet, model, .params = params,
         .summary = "three dense blocks of six layers, 1 x 1 bottlenecks",
         .source = "Huang et al. 2017");
