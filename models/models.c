/* The catalogue: one row a network, one row a recipe. */
#include "networks.h"

#include "plugin/registry.h"
#include <stdio.h>
#include <string.h>

const hk_model hk_models[] = {
    {"mlp", "784-128-128-10", "Rumelhart, Hinton, Williams 1986",
     hki_mlp, 28, 28, 1, 1, 118282, 0, 1},
    {"lenet5", "two convolutions, three dense layers", "LeCun et al. 1998",
     hki_lenet5, 28, 28, 1, 12, 61706, 0, 0},
    {"simple_cnn", "two convolutions, the second with prelu, two dense layers", "He et al. 2015",
     hki_simple_cnn, 28, 28, 1, 4, 421706, 0, 0},
    {"resnet20", "nine residual blocks, 1 x 1 projections", "He et al. 2016",
     hki_resnet20, 32, 32, 3, 1, 272474, 1, 0},
    {"vgg11", "eight convolutions, five poolings", "Simonyan, Zisserman 2015",
     hki_vgg11, 32, 32, 3, 32, 9228362, 1, 0},
    {"mobilenet", "five depthwise-separable convolutions, relu6 for relu", "Howard et al. 2017",
     hki_mobilenet, 32, 32, 3, 1, 136778, 1, 0},
    {0},
};

/* Mirrored and shifted images are for photographs, not for characters. */
#define PHOTOGRAPHS "one-cycle", "crop=4,flip", 15, 64

/* The first row that fits. Where a schedule does not depend on the number of epochs, 2 epochs resumed
 * for 2 more end where 4 at once do. */
static const hk_recipe recipes[] = {
    {"lenet5", "glyphs", "adam:lr=0.002", "constant", "none", 3, 64},
    {"lenet5", "", "sgd:lr=0.03,momentum=0.9,decay=5e-4", "step:every=1,factor=0.5,warmup=0.5",
     "none", 5, 64},
    {"simple_cnn", "", "adam:lr=0.001", "step:every=1,factor=0.65", "none", 8, 64},
    {"resnet20", "cifar-10", "sgd:lr=0.1,momentum=0.9,decay=5e-4", PHOTOGRAPHS},
    {"vgg11", "cifar-10", "sgd:lr=0.05,momentum=0.9,decay=5e-4", PHOTOGRAPHS},
    {"mobilenet", "cifar-10", "sgd:lr=0.05,momentum=0.9,decay=5e-4", PHOTOGRAPHS},
    {"", "cifar-10", "adam:lr=0.001", PHOTOGRAPHS},
    {"", "", "adam:lr=0.001", "step:every=1,factor=0.7", "none", 5, 64},
};

const hk_recipe *hk_model_recipe(const hk_model *model, const char *data)
{
    const hk_recipe *recipe = recipes;
    size_t length = strcspn(data, ":");
    for (;; recipe++) {
        int same_data = strlen(recipe->data) == length && strncmp(recipe->data, data, length) == 0;
        if ((!recipe->model[0] || strcmp(recipe->model, model->name) == 0) &&
            (!recipe->data[0] || same_data))
            return recipe;
    }
}

/* ---- Specs ---------------------------------------------------------------------------------- */

static const struct {
    const char *key;
    size_t offset;
    int64_t low, high;
    int initial;
} keys[] = {
    {"width", offsetof(hk_model_values, width), 1, 1 << 20, 128},
    {"depth", offsetof(hk_model_values, depth), 0, 1000, 2},
    {"inputs", offsetof(hk_model_values, inputs), 1, 1 << 24, 0},
    {"bias", offsetof(hk_model_values, bias), 0, 1, 1},
};
enum { KEYS = sizeof keys / sizeof *keys };

static int *value_of(hk_model_values *values, int key)
{
    return (int *)((char *)values + keys[key].offset);
}

typedef struct reading {
    const hk_model *model;
    hk_model_values *values;
} reading;

static hk_status parse_pair(void *user, const char *key, const char *text)
{
    reading *in = user;
    if (!in->model->has_values)
        return hki_fail(HK_UNKNOWN_NAME, "model %s: takes no values, found %.64s=%.64s",
                        in->model->name, key, text);
    for (int i = 0; i < KEYS; i++) {
        if (strcmp(keys[i].key, key) != 0)
            continue;
        int64_t value;
        if (!hki_parse_int(text, keys[i].low, keys[i].high, &value))
            return hki_fail(HK_BAD_ARGUMENT,
                            "model %s: %s=%.64s, expected a whole number %lld to %lld",
                            in->model->name, key, text, (long long)keys[i].low,
                            (long long)keys[i].high);
        *value_of(in->values, i) = (int)value;
        return HK_OK;
    }
    return hki_fail(HK_UNKNOWN_NAME,
                    "model %s: unknown value \"%.64s\"; known: width, depth, inputs, bias",
                    in->model->name, key);
}

static hk_status unknown_model(const char *name)
{
    char known[256] = "";
    for (size_t i = 0, used = 0; hk_models[i].name; i++)
        used += (size_t)snprintf(known + used, sizeof known - used, "%s%s", i ? ", " : "",
                                 hk_models[i].name);
    return hki_fail(HK_UNKNOWN_NAME, "model: unknown name \"%.64s\"; known: %s", name, known);
}

static const hk_model *row_of(const char *spec)
{
    size_t length = strcspn(spec, ":");
    for (const hk_model *row = hk_models; row->name; row++)
        if (strlen(row->name) == length && strncmp(row->name, spec, length) == 0)
            return row;
    return NULL;
}

hk_status hk_model_find(const char *spec, const hk_model **model, hk_model_values *values)
{
    hk_model_values unused;
    char name[64];
    if (!spec || !model)
        return hki_fail(HK_BAD_ARGUMENT, "model: no %s", spec ? "place for the result" : "spec");
    *model = NULL;
    reading in = {row_of(spec), values ? values : &unused};
    if (!in.model)
        return unknown_model(spec);
    for (int i = 0; i < KEYS; i++)
        *value_of(in.values, i) = keys[i].initial;
    hk_status status = hki_spec_parse("model", spec, name, sizeof name, parse_pair, &in);
    if (status == HK_OK)
        *model = in.model;
    return status;
}

/* ---- Building ------------------------------------------------------------------------------- */

static hk_status check_images(const hk_model *model, const hk_model_values *values, int height,
                              int width, int channels)
{
    int least = model->smallest;
    if (height < least || width < least)
        return hki_fail(HK_BAD_SHAPE,
                        "model %s: images of %d x %d are too small, at least %d x %d are needed",
                        model->name, height, width, least, least);
    int64_t inputs = (int64_t)height * width * channels;
    if (values->inputs && inputs != values->inputs)
        return hki_fail(HK_BAD_SHAPE,
                        "model %s: inputs=%d, but images of %d x %d x %d have %lld numbers",
                        model->name, values->inputs, height, width, channels, (long long)inputs);
    return HK_OK;
}

hk_tensor *hk_model_build(hk_net *net, const char *spec, int height, int width, int channels,
                          int classes)
{
    const hk_model *model;
    hk_model_values values;
    if (hk_model_find(spec, &model, &values) != HK_OK ||
        check_images(model, &values, height, width, channels) != HK_OK)
        return NULL;
    return model->build(hk_input(net, height, width, channels), &values, classes);
}
