/* LeNet-5: LeCun, Bottou, Bengio, Haffner 1998, Proc. IEEE 86(11), figure 2.
 * Departures: 28 x 28 images padded by the first layer instead of 32 x 32; plain maximum pooling;
 * every map of C3 sees every map of S2 instead of table I; logits for softmax instead of radial
 * basis functions; the activation under test.
 * norm: before each activation; dropout: of C5 and F6. The paper, older than both, has neither. */
#include <hillock/model.h>

enum { NORM, DROPOUT };
HK_PARAMS(HK_NORM_PARAM(0), HK_DROPOUT_PARAM);

static hk_tensor *unit(hk_tensor *x, const double *p)
{
    return hk_act(p[NORM] > 0 ? hk_norm(x) : x);
}

static hk_tensor *dense(hk_tensor *x, int units, const double *p)
{
    x = unit(hk_linear(x, units), p);
    return hk_dropout(x, p[DROPOUT]);
}

static hk_tensor *build(hk_tensor *x, int classes, const double *p)
{                                                        /* input     28 x 28 x   1 */
    x = unit(hk_conv(x, 6, 5), p);                       /* C1        28 x 28 x   6 */
    x = hk_maxpool(x, 2, .padding = HK_VALID);           /* S2        14 x 14 x   6 */
    x = unit(hk_conv(x, 16, 5, .padding = HK_VALID), p); /* C3        10 x 10 x  16 */
    x = hk_maxpool(x, 2, .padding = HK_VALID);           /* S4         5 x  5 x  16 */
    x = dense(x, 120, p);                                /* C5                  120 */
    x = dense(x, 84, p);                                 /* F6                   84 */
    return hk_linear(x, classes);                        /* output               10 */
}

HK_RECIPES({.data = "glyphs",
            .optimizer = "adam:lr=0.002",
            .schedule = "constant",
            .epochs = 3,
            .least_steps = 250},
           {.data = "",
            .optimizer = "sgd:lr=0.03,momentum=0.9,decay=5e-4",
            .schedule = "step:every=20%,factor=0.5,warmup=0.5",
            .augment = "none",
            .epochs = 5});

static const hk_model model = {.build = build,
                               .height = 28,
                               .width = 28,
                               .channels = 1,
                               .smallest = 12,
                               .parameters = 61706,
                               .recipes = recipes};

HK_MODEL(lenet5, model, .params = params, .summary = "two convolutions, three dense layers",
         .source = "LeCun et al. 1998");
