/* Models: parameter counts, shapes, sentences for what does not fit, and one step of
 * training of every model. */
#include "check.h"
#include <hillock/hillock.h>
#include <stdlib.h>

static hk_tensor *build(hk_net *net, const char *spec, int height, int width, int channels)
{
    return hk_model_build(net, spec, height, width, channels, 10);
}

typedef struct collection {
    const hk_plugin **found;
    size_t *n;
} collection;

static void collect(const hk_plugin_info *info, void *user)
{
    const collection *to = user;
    to->found[(*to->n)++] = info->plugin;
}

static int64_t parameters_of(const char *spec, const char *activation, int height, int width,
                             int channels)
{
    hk_net *net = hk_net_new(.activation = activation);
    int64_t count = build(net, spec, height, width, channels) ? hk_net_parameters(net) : -1;
    hk_net_free(net);
    return count;
}

/* Every model there is, one after the other. */
static void each_model(void (*check)(const char *name, const hk_model *))
{
    static const hk_plugin *found[64];
    size_t n = 0;
    CHECK_EQUAL(hk_plugin_each(HK_MODEL, collect, NULL, &(collection){found, &n}), HK_OK);
    CHECK(n >= 10);
    for (size_t i = 0; i < n; i++)
        check(found[i]->name, found[i]->model);
}

static void counts(const char *name, const hk_model *m)
{
    CHECK_EQUAL(parameters_of(name, "relu", m->height, m->width, m->channels), m->parameters);
}

static void models_count_their_parameters(void)
{
    each_model(counts);
}

/* As published, or as the same layers count in another framework. */
static void parameters_are_the_known_ones(void)
{
    CHECK_EQUAL(parameters_of("mlp", "relu", 28, 28, 1), 118282);
    CHECK_EQUAL(parameters_of("lenet5", "relu", 28, 28, 1), 61706);
    CHECK_EQUAL(parameters_of("simple_cnn", "relu", 28, 28, 1), 421706);
    CHECK_EQUAL(parameters_of("resnet20", "relu", 32, 32, 3), 272474);
    CHECK_EQUAL(parameters_of("vgg11", "relu", 32, 32, 3), 9228362);
    CHECK_EQUAL(parameters_of("mobilenet", "relu", 32, 32, 3), 136778);
    /* 2 x 2 patches, eight blocks, a dense layer, each convolution with bias and normalization */
    CHECK_EQUAL(parameters_of("convmixer", "relu", 32, 32, 3),
                (12 + 3) * 256 + 8 * (25 + 3 + 256 + 3) * 256 + 257 * 10);
    CHECK_EQUAL(parameters_of("densenet", "relu", 32, 32, 3), 176122);
    CHECK_EQUAL(parameters_of("densenet:layers=16", "relu", 32, 32, 3),
                769162); /* 0.8 M, table 2 */
    /* ConvNeXt-T and MobileNetV3-Small of torchvision 0.20, whose last layers have 1000 units. */
    CHECK_EQUAL(parameters_of("convnext:width=96,depth=3,patch=4", "gelu", 32, 32, 3),
                28589128 - 990 * (768 + 1));
    CHECK_EQUAL(parameters_of("mobilenet_v3:stride=2", "relu", 32, 32, 3),
                2542856 - 990 * (1024 + 1));
}

static void learned_activations_add_theirs(void)
{
    CHECK_EQUAL(parameters_of("lenet5", "prelu", 28, 28, 1), 61706 + 6 + 16 + 120 + 84);
    /* The second convolution's own activation gives way when the net's choice names the layer. */
    CHECK_EQUAL(parameters_of("simple_cnn", "relu+conv2=relu", 28, 28, 1), 421706 - 64);
    CHECK_EQUAL(parameters_of("simple_cnn", "mish", 28, 28, 1), 421706);
}

static void absent_normalization_leaves_biases(void)
{
    hk_net *net = hk_net_new(.normalization = "none");
    CHECK(build(net, "vgg11", 32, 32, 3) != NULL);
    int channels = 64 + 128 + 2 * 256 + 4 * 512;
    CHECK_EQUAL(hk_net_parameters(net), 9228362 - channels); /* a bias instead of gamma and beta */
    hk_net_free(net);
}

static void mlp_takes_values(void)
{
    CHECK_EQUAL(parameters_of("mlp:width=64,depth=3", "relu", 28, 28, 1),
                784 * 64 + 64 + 2 * (64 * 64 + 64) + 64 * 10 + 10);
    CHECK_EQUAL(parameters_of("mlp:width=4,depth=1,bias=0", "relu", 2, 2, 1), 4 * 4 + 4 * 10);
    CHECK_EQUAL(parameters_of("mlp:depth=0", "relu", 2, 2, 1), 4 * 10 + 10);
    CHECK_EQUAL(parameters_of("mlp:inputs=12", "relu", 2, 2, 3),
                parameters_of("mlp", "relu", 2, 2, 3));
}

typedef struct census {
    const char *kind;
    int count;
} census;

static void count_kind(const hk_layer_info *layer, void *user)
{
    census *c = user;
    c->count += strcmp(layer->kind, c->kind) == 0;
}

static int counts_layers(const char *model, const char *activation, const char *counted)
{
    census c = {counted, 0};
    hk_net *net = hk_net_new(.activation = activation);
    if (build(net, model, 32, 32, 3))
        hk_net_each_layer(net, count_kind, &c);
    hk_net_free(net);
    return c.count;
}

static void mobilenet_caps_relu_only(void)
{
    CHECK_EQUAL(counts_layers("mobilenet", "relu", "relu6"), 11);
    CHECK_EQUAL(counts_layers("mobilenet", "relu", "relu"), 0);
    CHECK_EQUAL(counts_layers("mobilenet", "relu+conv2=mish", "relu6"), 10);
    CHECK_EQUAL(counts_layers("mobilenet", "mish", "mish"), 11);
    CHECK_EQUAL(counts_layers("resnet20", "relu", "relu"), 19);
}

static void refused(const char *spec, int height, int width, int channels, hk_status status,
                    const char *sentence)
{
    hk_net *net = hk_net_new();
    CHECK(build(net, spec, height, width, channels) == NULL);
    CHECK_EQUAL(hk_last_status(), status);
    CHECK_CONTAINS(hk_message(), sentence);
    hk_net_free(net);
}

static void small_images_are_a_sentence(void)
{
    refused("vgg11", 16, 16, 3, HK_BAD_SHAPE,
            "model vgg11: images of 16 x 16 are too small, at least 32 x 32 are needed");
    refused("lenet5", 28, 11, 1, HK_BAD_SHAPE, "at least 12 x 12");
    refused("simple_cnn", 3, 3, 1, HK_BAD_SHAPE, "at least 4 x 4");
    refused("mlp:inputs=784", 2, 2, 1, HK_BAD_SHAPE, "inputs=784");
}

/* A layer of n channels with norm=1 has gamma and beta instead of a bias. */
static void norm_and_dropout_are_added(void)
{
    static const struct {
        const char *spec;
        int64_t parameters;
        int norms, dropouts;
    } cases[] = {{"mlp:norm=1,dropout=0.5", 118282 + 2 * 128, 2, 2},
                 {"mlp:norm=1,bias=0", 118282 - 2 * 128 - 10 + 4 * 128, 2, 0},
                 {"lenet5:norm=1,dropout=0.2", 61706 + 6 + 16 + 120 + 84, 4, 2},
                 {"simple_cnn:norm=1,dropout=0.2", 421706 + 32 + 64 + 128, 3, 1},
                 {"vgg11:norm=0,dropout=0.5", 9228362 - 64 - 128 - 2 * 256 - 4 * 512, 0, 1},
                 {"vgg11", 9228362, 8, 0},
                 {"resnet20:dropout=0.1", 272474, 21, 1},
                 {"mobilenet:dropout=0.1", 136778, 11, 1}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int height, width, channels;
        CHECK_EQUAL(hk_model_images(cases[i].spec, &height, &width, &channels), HK_OK);
        CHECK_EQUAL(parameters_of(cases[i].spec, "relu", height, width, channels),
                    cases[i].parameters);
        CHECK_EQUAL(counts_layers(cases[i].spec, "relu", "batch_norm"), cases[i].norms);
        CHECK_EQUAL(counts_layers(cases[i].spec, "relu", "dropout"), cases[i].dropouts);
    }
    refused("resnet20:norm=0", 32, 32, 3, HK_UNKNOWN_NAME, "known: dropout, drop_path");
    refused("mlp:dropout=1", 28, 28, 1, HK_BAD_ARGUMENT, "dropout=1 is outside [0, 1)");
}

/* One less fails in a window, so that what is declared is the least. */
static void fits_from_its_smallest(const char *name, const hk_model *m)
{
    static const double nothing[HK_MAX_PARAMS];
    const int least = m->smallest ? m->smallest : 1;
    CHECK(parameters_of(name, "relu", least, least, m->channels) > 0);
    hk_net *net = hk_net_new();
    hk_tensor *x = least > 1 ? hk_input(net, least - 1, least - 1, m->channels) : NULL;
    CHECK(m->build(x, 10, nothing) == NULL);
    hk_net_free(net);
}

static void the_smallest_images_are_enough(void)
{
    each_model(fits_from_its_smallest);
}

static void unknown_names_list_the_known(void)
{
    refused("lenet", 28, 28, 1, HK_UNKNOWN_NAME,
            "did you mean \"lenet5\"? known: convmixer, convnext, densenet, lenet5, mlp");
    refused("mlp:size=3", 28, 28, 1, HK_UNKNOWN_NAME,
            "known: width, depth, inputs, bias, norm, dropout");
    refused("mlp:width=0", 28, 28, 1, HK_BAD_ARGUMENT, "width=0");
    refused("mlp:width", 28, 28, 1, HK_BAD_ARGUMENT, "width");
    refused("lenet5:width=3", 28, 28, 1, HK_UNKNOWN_NAME,
            "\"lenet5\" has no parameter \"width\"; known: norm, dropout");
}

static void recipes_fit_models_and_data(void)
{
    const hk_plugin *resnet, *lenet;
    CHECK_EQUAL(hk_model_find("resnet20", &resnet, NULL), HK_OK);
    CHECK_EQUAL(hk_model_find("lenet5", &lenet, NULL), HK_OK);
    CHECK_TEXT(hk_model_recipe(resnet, "cifar-10:some/where", 50000, 0).augment, "crop=4,flip");
    CHECK_TEXT(hk_model_recipe(resnet, "glyphs:size=32,channels=3", 6000, 0).augment, "none");
    CHECK_TEXT(hk_model_recipe(lenet, "glyphs", 6000, 0).schedule, "constant");
    CHECK(strcmp(hk_model_recipe(lenet, "mnist:glyphs", 60000, 0).schedule, "constant") != 0);
}

static void decay_follows_the_size(void)
{
    const hk_plugin *mlp;
    CHECK_EQUAL(hk_model_find("mlp", &mlp, NULL), HK_OK);
    CHECK_TEXT(hk_model_recipe(mlp, "csv:a.csv", 500, 0).optimizer, "adam:lr=0.003,decay=0.03");
    CHECK_TEXT(hk_model_recipe(mlp, "csv:a.csv", 501, 0).optimizer, "adam:lr=0.003,decay=0.003");
    CHECK_TEXT(hk_model_recipe(mlp, "csv:a.csv", 2001, 0).optimizer, "adam:lr=0.001");
    CHECK_TEXT(hk_model_recipe(mlp, "glyphs", 100, 0).optimizer, "adam:lr=0.001");
}

/* The recipes of large sets are as they stand; those of small sets have enough steps. */
static void small_sets_get_enough_steps(void)
{
    static const struct {
        const char *model, *data;
        int64_t samples;
        int given, batch, epochs, adapted;
    } cases[] = {{"mlp", "csv:iris.csv", 120, 0, 16, 200, 1},
                 {"mlp", "csv:iris.csv", 120, 60, 60, 800, 1},
                 {"mlp", "csv:one.csv", 3, 0, 8, 1600, 1},
                 {"mlp", "npz:digits.npz", 1437, 0, 64, 18, 1},
                 {"mlp", "glyphs:train=256", 256, 0, 64, 100, 1},
                 {"mlp", "mnist:here", 60000, 0, 64, 5, 0},
                 {"lenet5", "fashion-mnist:here", 60000, 256, 256, 5, 0},
                 {"simple_cnn", "mnist:here", 54000, 0, 64, 8, 0},
                 {"lenet5", "glyphs", 6000, 0, 64, 3, 0},
                 {"lenet5", "glyphs", 5400, 0, 64, 3, 0}, /* a tenth held out */
                 {"mlp", "glyphs", 5400, 0, 64, 5, 0},
                 {"resnet20", "cifar-10:here", 9000, 0, 64, 15, 0}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const hk_plugin *model;
        CHECK_EQUAL(hk_model_find(cases[i].model, &model, NULL), HK_OK);
        hk_recipe r = hk_model_recipe(model, cases[i].data, cases[i].samples, cases[i].given);
        CHECK_EQUAL(r.batch, cases[i].batch);
        CHECK_EQUAL(r.epochs, cases[i].epochs);
        CHECK_EQUAL(r.is_adapted, cases[i].adapted);
    }
}

static hk_data *noise(int height, int width, int channels, int images)
{
    size_t n = (size_t)(height * width * channels * images);
    float *x = malloc(n * sizeof *x);
    int32_t *labels = malloc((size_t)images * sizeof *labels);
    hk_data *data = NULL;
    uint32_t state = 1;
    for (size_t i = 0; x && i < n; i++) {
        state = state * 1664525 + 1013904223;
        x[i] = (float)(state >> 8) / 8388608 - 1;
    }
    for (int i = 0; labels && i < images; i++)
        labels[i] = i % 10;
    CHECK_EQUAL(hk_data_from_arrays(images, height, width, channels, 10, x, labels, &data), HK_OK);
    free(x);
    free(labels);
    return data;
}

static int keep_first_loss(const hk_epoch_report *report, void *user)
{
    if (report->epoch == 1)
        *(double *)user = report->train_loss;
    return 0;
}

/* Four images, a step an epoch: the loss is finite and falls. */
static void trains(const char *name, const hk_model *m)
{
    hk_data *data = noise(m->height, m->width, m->channels, 4);
    hk_epoch_report report = {.train_loss = HUGE_VAL};
    double first = HUGE_VAL;
    hk_net *net = hk_net_new();
    hk_tensor *logits = build(net, name, m->height, m->width, m->channels);
    CHECK_EQUAL(hk_fit(logits, &report, .train = data, .epochs = 3, .batch = 4,
                       .optimizer = "adam:lr=0.001", .epoch = keep_first_loss, .user = &first),
                HK_OK);
    CHECK(isfinite(first));
    CHECK(report.train_loss < first);
    hk_net_free(net);
    hk_data_free(data);
}

static void every_model_trains(void)
{
    each_model(trains);
}

int main(void)
{
    RUN(models_count_their_parameters);
    RUN(parameters_are_the_known_ones);
    RUN(learned_activations_add_theirs);
    RUN(absent_normalization_leaves_biases);
    RUN(mlp_takes_values);
    RUN(mobilenet_caps_relu_only);
    RUN(norm_and_dropout_are_added);
    RUN(small_images_are_a_sentence);
    RUN(the_smallest_images_are_enough);
    RUN(unknown_names_list_the_known);
    RUN(recipes_fit_models_and_data);
    RUN(small_sets_get_enough_steps);
    RUN(decay_follows_the_size);
    RUN(every_model_trains);
    return check_result();
}
