/* The catalogue: one row a network, one row a recipe. */
#include "networks.h"

#include "core/spec.h"
#include <math.h>
#include <string.h>

/* clang-format off */
const hk_model hk_models[] = {
    {"mlp", "784-128-128-10", "Rumelhart, Hinton, Williams 1986",
     hki_mlp, 28, 28, 1, 1, 118282, 0, "width,depth,inputs,bias,norm,dropout"},
    {"lenet5", "two convolutions, three dense layers", "LeCun et al. 1998",
     hki_lenet5, 28, 28, 1, 12, 61706, 0, "norm,dropout"},
    {"simple_cnn", "two convolutions, the second with prelu, two dense layers", "He et al. 2015",
     hki_simple_cnn, 28, 28, 1, 4, 421706, 0, "norm,dropout"},
    {"resnet20", "nine residual blocks, 1 x 1 projections", "He et al. 2016",
     hki_resnet20, 32, 32, 3, 1, 272474, 1, "dropout,drop_path"},
    {"vgg11", "eight convolutions, five poolings", "Simonyan, Zisserman 2015",
     hki_vgg11, 32, 32, 3, 32, 9228362, 1, "norm,dropout"},
    {"mobilenet", "five depthwise-separable convolutions, relu6 for relu", "Howard et al. 2017",
     hki_mobilenet, 32, 32, 3, 1, 136778, 1, "dropout"},
    {0},
};
/* clang-format on */
enum { MODELS = sizeof hk_models / sizeof *hk_models - 1 };

/* Mirrored and shifted images are for photographs, not for characters. */
#define PHOTOGRAPHS "one-cycle", "crop=4,flip", 15, 64
enum { STEPS = 400, TABLE = 500, SMALL = 2000 };

/* The first row that fits. Schedules are in shares of the whole training, so that they fit any
 * number of epochs. Decay keeps an mlp from learning a small set by
 * heart, the more the smaller it is. */
static const hk_recipe recipes[] = {
    {"lenet5", "glyphs", 0, "adam:lr=0.002", "constant", "none", 3, 64, 250, 0},
    {"lenet5", "", 0, "sgd:lr=0.03,momentum=0.9,decay=5e-4", "step:every=20%,factor=0.5,warmup=0.5",
     "none", 5, 64, STEPS, 0},
    {"simple_cnn", "", 0, "adam:lr=0.001", "step:every=12.5%,factor=0.65", "none", 8, 64, STEPS, 0},
    {"resnet20", "cifar-10", 0, "sgd:lr=0.1,momentum=0.9,decay=5e-4", PHOTOGRAPHS, STEPS, 0},
    {"vgg11", "cifar-10", 0, "sgd:lr=0.05,momentum=0.9,decay=5e-4", PHOTOGRAPHS, STEPS, 0},
    {"mobilenet", "cifar-10", 0, "sgd:lr=0.05,momentum=0.9,decay=5e-4", PHOTOGRAPHS, STEPS, 0},
    {"", "cifar-10", 0, "adam:lr=0.001", PHOTOGRAPHS, STEPS, 0},
    {"", "glyphs", 0, "adam:lr=0.001", "step:every=20%,factor=0.7", "none", 5, 64, STEPS, 0},
    {"mlp", "", TABLE, "adam:lr=0.003,decay=0.03", "step:every=20%,factor=0.7", "none", 5, 64,
     STEPS, 0},
    {"mlp", "", SMALL, "adam:lr=0.003,decay=0.003", "step:every=20%,factor=0.7", "none", 5, 64,
     STEPS, 0},
    {"", "", 0, "adam:lr=0.001", "step:every=20%,factor=0.7", "none", 5, 64, STEPS, 0},
};

hk_recipe hk_model_recipe(const hk_model *model, const char *data, int64_t samples, int batch)
{
    enum { LEAST_BATCH = 8 };
    if (hki_null(model, data))
        return (hk_recipe){0};
    size_t length = strcspn(data, ":"), row = 0;
    for (;; row++) {
        const hk_recipe *r = &recipes[row];
        bool same_data = strlen(r->data) == length && strncmp(r->data, data, length) == 0;
        if ((!r->model[0] || strcmp(r->model, model->name) == 0) && (!r->data[0] || same_data) &&
            (!r->most || samples <= r->most))
            break;
    }
    hk_recipe it = recipes[row];
    const int usual = it.batch, epochs = it.epochs;
    while (it.batch > LEAST_BATCH && samples < 4 * (int64_t)it.batch)
        it.batch /= 2;
    it.batch = batch ? batch : it.batch;
    int64_t steps = samples > it.batch ? (samples + it.batch - 1) / it.batch : 1;
    if (steps * it.epochs < it.least_steps)
        it.epochs = (int)((it.least_steps + steps - 1) / steps);
    it.is_adapted = (!batch && it.batch != usual) || it.epochs != epochs;
    return it;
}

/* ---- Specs ---------------------------------------------------------------------------------- */

/* clang-format off */
static const hk_param params[] = {
    HKI_WHOLE("width", 128, 1, 1 << 20),
    HKI_WHOLE("depth", 2, 0, 1000),
    HKI_WHOLE("inputs", 0, 1, 1 << 24),
    HKI_WHOLE("bias", 1, 0, 1),
    HKI_WHOLE("norm", 0, 0, 1), /* that of the model's row */
    HKI_REAL("dropout", 0, 0, 1, HK_HIGH_OPEN),
    HKI_REAL("drop_path", 0, 0, 1, HK_HIGH_OPEN),
};
/* clang-format on */
enum { PARAMS = sizeof params / sizeof *params };

hk_status hk_model_find(const char *spec, const hk_model **model, hk_model_values *values)
{
    hk_param own[PARAMS + 1];
    double given[PARAMS];
    if (model)
        *model = NULL;
    if (hki_null(spec, model))
        return HK_BAD_ARGUMENT;
    int row = hki_spec_row("model", spec, hk_models, MODELS, sizeof *hk_models);
    if (row < 0)
        return hk_last_status();
    const hk_model *found = &hk_models[row];
    size_t n = 0;
    for (size_t i = 0; i < PARAMS; i++) { /* the rows that the model takes */
        if (!hki_has_word(found->values, params[i].name, strlen(params[i].name)))
            continue;
        own[n] = params[i];
        if (strcmp(own[n++].name, "norm") == 0)
            own[n - 1].value = found->has_norm;
    }
    own[n] = (hk_param){.name = NULL};
    hk_status status = hki_spec_values("model", found->name, spec, strlen(found->name), own, given);
    if (status != HK_OK)
        return status;
    const bool takes_norm = hki_has_word(found->values, "norm", strlen("norm"));
    if (values)
        *values = (hk_model_values){.width = (int)hki_spec_value(own, given, "width"),
                                    .depth = (int)hki_spec_value(own, given, "depth"),
                                    .inputs = (int)hki_spec_value(own, given, "inputs"),
                                    .bias = (int)hki_spec_value(own, given, "bias"),
                                    .norm = takes_norm ? (int)hki_spec_value(own, given, "norm")
                                                       : found->has_norm,
                                    .dropout = hki_spec_value(own, given, "dropout"),
                                    .drop_path = hki_spec_value(own, given, "drop_path")};
    *model = found;
    return HK_OK;
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

hk_tensor *hki_norm(hk_tensor *x, const hk_model_values *values)
{
    return values->norm ? hk_norm(x) : x;
}

hk_tensor *hki_dropout(hk_tensor *x, const hk_model_values *values)
{
    return values->dropout > 0 ? hk_dropout(x, values->dropout) : x;
}

hk_tensor *hk_model_build(hk_net *net, const char *spec, int height, int width, int channels,
                          int classes)
{
    const hk_model *model;
    hk_model_values values;
    if (hki_null(net, spec))
        return NULL;
    if (hk_model_find(spec, &model, &values) != HK_OK ||
        check_images(model, &values, height, width, channels) != HK_OK)
        return NULL;
    return model->build(hk_input(net, height, width, channels), &values, classes);
}
