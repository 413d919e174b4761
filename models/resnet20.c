/* ResNet-20 for CIFAR: He, Zhang, Ren, Sun 2016, arXiv:1512.03385, section 4.2, table 6.
 * Departure: where the shape changes, the shortcut is a normalized 1 x 1 convolution (option B)
 * instead of zero padding (option A). dropout, which the paper has not: of the dense layer's input. */
#include <hillock/model.h>

enum { BLOCKS = 9 };

/* How many blocks there are so far, and what the last one's rate of dropped samples is. */
typedef struct depth {
    int blocks;
    double drop_path;
} depth;

static hk_tensor *block(hk_tensor *x, int filters, int stride, hk_tensor *shortcut, depth *at)
{
    /* Deeper branches are missed more often: Huang et al. 2016, arXiv:1603.09382, equation 4. */
    double rate = at->drop_path * ++at->blocks / BLOCKS;
    x = hk_act(hk_norm(hk_conv(x, filters, 3, .stride = stride, .pad = 1)));
    x = hk_norm(hk_conv(x, filters, 3, .pad = 1));
    return hk_act(hk_add(rate > 0 ? hk_drop_path(x, rate) : x, shortcut));
}

/* Three blocks; the first one changes the shape. */
static hk_tensor *stage(hk_tensor *x, int filters, int stride, depth *at)
{
    hk_tensor *projection = x;
    if (stride > 1)
        projection = hk_norm(hk_conv(x, filters, 1, .stride = stride, .padding = HK_VALID));
    x = block(x, filters, stride, projection, at);
    x = block(x, filters, 1, x, at);
    return block(x, filters, 1, x, at);
}

enum { DROPOUT, DROP_PATH };
HK_PARAMS(HK_DROPOUT_PARAM,
          {.name = "drop_path",
           .doc = "rate at which the last residual branch is dropped; lower in those before it",
           .type = HK_REAL,
           .flags = HK_HIGH_OPEN,
           .value = 0,
           .low = 0,
           .high = 1});

static hk_tensor *build(hk_tensor *x, int classes, const double *p)
{ /* input     32 x 32 x   3 */
    depth at = {0, p[DROP_PATH]};
    x = hk_act(hk_norm(hk_conv(x, 16, 3))); /*           32 x 32 x  16 */
    x = stage(x, 16, 1, &at);               /*           32 x 32 x  16 */
    x = stage(x, 32, 2, &at);               /*           16 x 16 x  32 */
    x = stage(x, 64, 2, &at);               /*            8 x  8 x  64 */
    x = hk_global_avgpool(x);               /*                      64 */
    x = hk_dropout(x, p[DROPOUT]);
    return hk_linear(x, classes); /*                      10 */
}

HK_RECIPES({.data = "cifar-10", .optimizer = "sgd:lr=0.1,momentum=0.9,decay=5e-4"});

static const hk_model model = {.build = build,
                               .height = 32,
                               .width = 32,
                               .channels = 3,
                               .parameters = 272474,
                               .recipes = recipes};

HK_MODEL(resnet20, model, .params = params, .summary = "nine residual blocks, 1 x 1 projections",
         .source = "He et al. 2016");
