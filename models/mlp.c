/* A multilayer perceptron: Rumelhart, Hinton, Williams 1986, Nature 323, "Learning representations
 * by back-propagating errors", with the activation under test and logits for softmax.
 * norm: before each activation, Ioffe & Szegedy 2015, arXiv:1502.03167, section 3.2.
 * dropout: of hidden units, Srivastava et al. 2014, JMLR 15. */
#include <hillock/model.h>

enum { WIDTH, DEPTH, INPUTS, BIAS, NORM, DROPOUT };
HK_PARAMS({.name = "width",
           .doc = "units of a hidden layer",
           .type = HK_INTEGER,
           .value = 128,
           .low = 1,
           .high = 1 << 20},
          {.name = "depth",
           .doc = "hidden layers",
           .type = HK_INTEGER,
           .value = 2,
           .low = 0,
           .high = 1000},
          {.name = "inputs",
           .doc = "numbers of a sample; 0: as many as there are",
           .type = HK_INTEGER,
           .value = 0,
           .low = 0,
           .high = 1 << 24},
          {.name = "bias",
           .doc = "1: layers have a bias",
           .type = HK_INTEGER,
           .value = 1,
           .low = 0,
           .high = 1},
          HK_NORM_PARAM(0), HK_DROPOUT_PARAM);

static hk_tensor *build(hk_tensor *x, int classes, const double *p)
{
    const int no_bias = p[BIAS] < 1;
    for (int i = 0; i < (int)p[DEPTH]; i++) {     /* input     784 */
        x = hk_linear(x, (int)p[WIDTH], no_bias); /* fc1, fc2  128 */
        x = hk_act(p[NORM] > 0 ? hk_norm(x) : x);
        x = hk_dropout(x, p[DROPOUT]);
    }
    return hk_linear(x, classes, no_bias); /* fc3        10 */
}

/* Decay keeps it from learning a small set by heart, the more the smaller it is; characters and
 * photographs do without. With it, more steps still lower the loss of new samples. */
HK_RECIPES({.data = "glyphs"}, {.data = "cifar-10"},
           {.data = "", .most = 500, .optimizer = "adam:lr=0.003,decay=0.03", .least_steps = 1600},
           {.data = "", .most = 2000, .optimizer = "adam:lr=0.003,decay=0.003"});

static const hk_model model = {.build = build,
                               .height = 28,
                               .width = 28,
                               .channels = 1,
                               .parameters = 118282,
                               .recipes = recipes};

HK_MODEL(mlp, model, .params = params, .summary = "784-128-128-10",
         .source = "Rumelhart, Hinton, Williams 1986");
