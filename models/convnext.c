/* ConvNeXt for 32 x 32 images: Liu, Mao, Wu, Feichtenhofer, Darrell, Xie 2022, arXiv:2201.03545, figure 4 and
 * appendix A.1. width=96,depth=3,patch=4 is its ConvNeXt-T. Departures: patches of 2 x 2 for images of
 * 32 x 32; a width of 40 and 2, 2, 6, 2 blocks; the activation under test in place of gelu. The layer norms
 * are part of the design and stay whatever the normalization under test is. */
#include <hillock/model.h>

enum { WIDTH, DEPTH, PATCH, DROP_PATH, STAGES = 4 };
HK_PARAMS({.name = "width",
           .doc = "channels of the first stage; twice as many in each after it",
           .type = HK_INTEGER,
           .value = 40,
           .low = 1,
           .high = 1024},
          {.name = "depth",
           .doc = "blocks of a stage; the third has three times as many",
           .type = HK_INTEGER,
           .value = 2,
           .low = 1,
           .high = 64},
          {.name = "patch",
           .doc = "side of the patches that the first layer sees",
           .type = HK_INTEGER,
           .value = 2,
           .low = 1,
           .high = 64},
          {.name = "drop_path",
           .doc = "rate at which the last residual branch is dropped; lower in those before it",
           .type = HK_REAL,
           .flags = HK_HIGH_OPEN,
           .value = 0,
           .low = 0,
           .high = 1});

static hk_tensor *norm(hk_tensor *x)
{
    return hk_norm(x, .use = "layer_norm:over=channels,eps=1e-6");
}

/* A learned number for each channel, "scale003" of the third block. */
static hk_tensor *channels(hk_tensor *x, const char what[5], int number, const char *init)
{
    const char name[] = {what[0],
                         what[1],
                         what[2],
                         what[3],
                         what[4],
                         (char)('0' + number / 100),
                         (char)('0' + number / 10 % 10),
                         (char)('0' + number % 10),
                         '\0'};
    if (!x)
        return NULL;
    const hk_shape shape = hk_tensor_shape(x);
    return hk_parameter(hk_tensor_net(x), name, HK_SHAPE(shape.dims[shape.ndim - 1]), init);
}

/* A normalization of rows keeps what a bias in front of it did, but hk_norm() drops that of its layer. */
static hk_tensor *biased(hk_tensor *x, int number)
{
    return norm(hk_add(x, channels(x, "shift", number, "constant:value=0")));
}

/* A depthwise 7 x 7 convolution, then two layers at each place, four times as wide between them. */
static hk_tensor *block(hk_tensor *x, int width, int number, double drop_path)
{
    hk_tensor *y = biased(hk_conv(x, width, 7, .groups = width, .no_bias = 1), number);
    y = hk_conv(hk_act(hk_conv(y, 4 * width, 1)), width, 1);
    y = hk_mul(y, channels(y, "scale", number, "constant:value=1e-6"));
    return hk_add(drop_path > 0 ? hk_drop_path(y, drop_path) : y, x);
}

static hk_tensor *build(hk_tensor *x, int classes, const double *p)
{
    const int depth = (int)p[DEPTH], patch = (int)p[PATCH], blocks = 6 * depth;
    int width = (int)p[WIDTH], number = 0; /* input     32 x 32 x   3 */
    x = hk_conv(x, width, patch, .stride = patch, .padding = HK_VALID, .no_bias = 1);
    x = biased(x, 0); /* patches   16 x 16 x  40 */
    for (int stage = 0; stage < STAGES; stage++, width *= 2) {
        if (stage > 0)                                             /*            8 x  8 x  80 */
            x = hk_conv(norm(x), width, 2, .stride = 2);           /*            4 x  4 x 160 */
        for (int i = 0; i < (stage == 2 ? 3 * depth : depth); i++) /*       2 x  2 x 320 */
            number++, x = block(x, width, number, p[DROP_PATH] * number / blocks);
    }
    return hk_linear(norm(hk_global_avgpool(x)), classes); /*                      10 */
}

HK_RECIPES({.data = "cifar-10", .optimizer = "adamw:lr=0.004,decay=0.05"});

static const hk_model model = {.build = build,
                               .height = 32,
                               .width = 32,
                               .channels = 3,
                               .smallest = 2,
                               .parameters = 3376290,
                               .recipes = recipes};

HK_MODEL(convnext, model, .params = params,
         .summary = "four stages of blocks: depthwise 7 x 7, layer norm, two 1 x 1 convolutions",
         .source = "Liu et al. 2022");
