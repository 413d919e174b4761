/* The catalogue: one row a network, one row a recipe. */
#include "networks.h"

#include "plugin/registry.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

const hk_model hk_models[] = {
    {"mlp", "784-128-128-10", "Rumelhart, Hinton, Williams 1986",
     hki_mlp, 28, 28, 1, 1, 118282, 0, "width, depth, inputs, bias"},
    {"lenet5", "two convolutions, three dense layers", "LeCun et al. 1998",
     hki_lenet5, 28, 28, 1, 12, 61706, 0, NULL},
    {"simple_cnn", "two convolutions, the second with prelu, two dense layers", "He et al. 2015",
     hki_simple_cnn, 28, 28, 1, 4, 421706, 0, NULL},
    {"resnet20", "nine residual blocks, 1 x 1 projections", "He et al. 2016",
     hki_resnet20, 32, 32, 3, 1, 272474, 1, "drop_path"},
    {"vgg11", "eight convolutions, five poolings", "Simonyan, Zisserman 2015",
     hki_vgg11, 32, 32, 3, 32, 9228362, 1, NULL},
    {"mobilenet", "five depthwise-separable convolutions, relu6 for relu", "Howard et al. 2017",
     hki_mobilenet, 32, 32, 3, 1, 136778, 1, NULL},
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

enum { WHOLE, REAL };
static const struct {
    const char *key;
    int form;
    size_t offset;
    double low, high; /* REAL: high itself is too much */
    double initial;
} keys[] = {
    {"width", WHOLE, offsetof(hk_model_values, width), 1, 1 << 20, 128},
    {"depth", WHOLE, offsetof(hk_model_values, depth), 0, 1000, 2},
    {"inputs", WHOLE, offsetof(hk_model_values, inputs), 1, 1 << 24, 0},
    {"bias", WHOLE, offsetof(hk_model_values, bias), 0, 1, 1},
    {"drop_path", REAL, offsetof(hk_model_values, drop_path), 0, 1, 0},
};
enum { KEYS = sizeof keys / sizeof *keys };

static void set_value(hk_model_values *values, int key, double value)
{
    char *place = (char *)values + keys[key].offset;
    if (keys[key].form == REAL)
        *(double *)(void *)place = value;
    else
        *(int *)(void *)place = (int)value;
}

typedef struct reading {
    const hk_model *model;
    hk_model_values *values;
} reading;

/* Is the key one of "width, depth"? */
static int is_listed(const char *list, const char *key)
{
    size_t length = strlen(key);
    for (const char *at = list; at && (at = strstr(at, key)); at += length)
        if ((at == list || at[-1] == ' ') && (at[length] == ',' || !at[length]))
            return 1;
    return 0;
}

static hk_status read_value(const hk_model *model, int key, const char *text, double *out)
{
    const double low = keys[key].low, high = keys[key].high;
    int64_t whole;
    if (keys[key].form == REAL && hki_parse_double(text, out) && *out >= low && *out < high)
        return HK_OK;
    if (keys[key].form == WHOLE && hki_parse_int(text, (int64_t)low, (int64_t)high, &whole)) {
        *out = (double)whole;
        return HK_OK;
    }
    return hki_fail(HK_BAD_ARGUMENT, "model %s: %s=%.64s, expected a %s %.0f to %.0f", model->name,
                    keys[key].key, text,
                    keys[key].form == REAL ? "number from" : "whole number", low, high);
}

static hk_status parse_pair(void *user, const char *key, const char *text)
{
    reading *in = user;
    double value;
    if (!in->model->values)
        return hki_fail(HK_UNKNOWN_NAME, "model %s: takes no values, found %.64s=%.64s",
                        in->model->name, key, text);
    for (int i = 0; i < KEYS; i++) {
        if (strcmp(keys[i].key, key) != 0 || !is_listed(in->model->values, key))
            continue;
        hk_status status = read_value(in->model, i, text, &value);
        if (status == HK_OK)
            set_value(in->values, i, value);
        return status;
    }
    return hki_fail(HK_UNKNOWN_NAME, "model %s: unknown value \"%.64s\"; known: %s",
                    in->model->name, key, in->model->values);
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
        set_value(in.values, i, keys[i].initial);
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
    double inputs = (double)height * width * channels; /* of any sizes */
    if (values->inputs && fabs(inputs - values->inputs) > 0)
        return hki_fail(HK_BAD_SHAPE,
                        "model %s: inputs=%d, but images of %d x %d x %d have %.0f numbers",
                        model->name, values->inputs, height, width, channels, inputs);
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
