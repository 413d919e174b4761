/* MobileNetV3-Small: Howard et al. 2019, arXiv:1905.02244, table 2. Departures: for images of 32 x 32 the first
 * convolution keeps the size (stride=2 is the paper's); where relu is asked for it is hard-swish in the layers
 * that have it in the table, and relu in the others, as there; another activation under test stands in both.
 * The gates of squeeze-and-excite stay hard sigmoids. dropout: of the last layer's input, 0.2 in the paper. */
#include <hillock/model.h>
#include <string.h>

enum { STRIDE, DROPOUT };
HK_PARAMS({.name = "stride",
           .doc = "of the first convolution",
           .type = HK_INTEGER,
           .value = 1,
           .low = 1,
           .high = 2},
          HK_DROPOUT_PARAM);

static hk_tensor *act(hk_tensor *x, int is_hard)
{
    if (!x)
        return NULL;
    const char *choice = hk_net_activation(hk_tensor_net(x));
    const int is_relu = strncmp(choice, "relu", 4) == 0 && (choice[4] == '\0' || choice[4] == '+');
    return hk_act(x, .use = is_hard && is_relu ? "hardswish" : NULL); /* NULL: the net's choice */
}

/* A multiple of 8 near a quarter, as in the authors' code. */
static int squeezed(int channels)
{
    const int n = (channels / 4 + 4) / 8 * 8;
    return n < 8 ? 8 : 10 * n < 9 * channels / 4 ? n + 8 : n;
}

/* Squeeze and excite, section 5.3: each channel times a gate that sees the means of all. */
static hk_tensor *excite(hk_tensor *x, int channels)
{
    hk_tensor *gate =
        hk_linear(act(hk_linear(hk_global_avgpool(x), squeezed(channels)), 0), channels);
    gate = hk_act(gate, .use = "hardsigmoid");
    return hk_mul(x, hk_reshape(gate, HK_SHAPE(HK_BATCH, 1, 1, channels)));
}

/* A row of table 2: expanded channels, those that come out. */
typedef struct row {
    int kernel, expanded, out, excites, is_hard, stride;
} row;

/* An inverted residual: Sandler et al. 2018, arXiv:1801.04381, figure 4d. */
static hk_tensor *bottleneck(hk_tensor *x, const row *r)
{
    if (!x)
        return NULL;
    hk_tensor *around = x;
    const int in = (int)hk_tensor_shape(x).dims[3];
    if (r->expanded != in)
        x = act(hk_norm(hk_conv(x, r->expanded, 1)), r->is_hard);
    x = hk_conv(x, r->expanded, r->kernel, .stride = r->stride, .groups = r->expanded,
                .pad = r->kernel / 2);
    x = act(hk_norm(x), r->is_hard);
    x = hk_norm(hk_conv(r->excites ? excite(x, r->expanded) : x, r->out, 1));
    return r->stride == 1 && r->out == in ? hk_add(x, around) : x;
}

static hk_tensor *build(hk_tensor *x, int classes, const double *p)
{
    static const row rows[] = {{3, 16, 16, 1, 0, 2},  {3, 72, 24, 0, 0, 2},  {3, 88, 24, 0, 0, 1},
                               {5, 96, 40, 1, 1, 2},  {5, 240, 40, 1, 1, 1}, {5, 240, 40, 1, 1, 1},
                               {5, 120, 48, 1, 1, 1}, {5, 144, 48, 1, 1, 1}, {5, 288, 96, 1, 1, 2},
                               {5, 576, 96, 1, 1, 1}, {5, 576, 96, 1, 1, 1}};
    x = hk_conv(x, 16, 3, .stride = (int)p[STRIDE], .pad = 1); /* input     32 x 32 x   3 */
    x = act(hk_norm(x), 1);                                    /*           32 x 32 x  16 */
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)    /* 16 x 16, 8 x 8, 4 x 4 */
        x = bottleneck(x, &rows[i]);                           /*            2 x  2 x  96 */
    x = act(hk_norm(hk_conv(x, 576, 1)), 1);                   /*            2 x  2 x 576 */
    x = act(hk_linear(hk_global_avgpool(x), 1024), 1);         /*                    1024 */
    return hk_linear(p[DROPOUT] > 0 ? hk_dropout(x, p[DROPOUT]) : x, classes); /*      10 */
}

HK_RECIPES({.data = "cifar-10", .optimizer = "sgd:lr=0.05,momentum=0.9,decay=5e-4"});

static const hk_model model = {.build = build,
                               .height = 32,
                               .width = 32,
                               .channels = 3,
                               .parameters = 1528106,
                               .recipes = recipes};

HK_MODEL(mobilenet_v3, model, .params = params,
         .summary = "eleven inverted residuals with squeeze-and-excite, hard-swish for relu",
         .source = "Howard et al. 2019");
