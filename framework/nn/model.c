/* A model by its spec: found, and recorded in a net. */
#include <hillock/model.h>
#include "nn/nn.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

hk_status hk_model_find(const char *spec, const hk_plugin **model, char *text)
{
    hki_use use;
    if (model)
        *model = NULL;
    if (hki_null(spec, model))
        return HK_BAD_ARGUMENT;
    hk_status status = hki_use_parse(HK_MODEL, spec, &use);
    if (status != HK_OK)
        return status;
    char *canonical = text ? hki_use_spec(&use) : NULL;
    if (text && !canonical)
        return HK_NO_MEMORY;
    if (text) /* no longer than what was read */
        snprintf(text, HK_MAX_SPEC, "%s", canonical);
    hki_free(canonical);
    *model = use.plugin;
    return HK_OK;
}

/* The spec's inputs=n; 0: any number. */
static double inputs_of(const hki_use *use)
{
    return use->plugin->params ? hki_spec_value(use->plugin->params, use->params, "inputs") : 0;
}

hk_status hk_model_images(const char *spec, int *height, int *width, int *channels)
{
    hki_use use;
    if (hki_null(spec, height, width, channels))
        return HK_BAD_ARGUMENT;
    hk_status status = hki_use_parse(HK_MODEL, spec, &use);
    if (status != HK_OK)
        return status;
    const hk_model *model = use.plugin->model;
    const int inputs = (int)inputs_of(&use);
    *height = inputs ? 1 : model->height;
    *width = inputs ? 1 : model->width;
    *channels = inputs ? inputs : model->channels;
    return HK_OK;
}

static hk_status check_images(const hki_use *use, int height, int width, int channels)
{
    const char *name = use->plugin->name;
    const int least = use->plugin->model->smallest;
    const double inputs = (double)height * width * channels; /* of any sizes */
    if (height < least || width < least)
        return hki_fail(HK_BAD_SHAPE,
                        "model %s: images of %d x %d are too small, at least %d x %d are needed",
                        name, height, width, least, least);
    if (inputs_of(use) > 0 && fabs(inputs - inputs_of(use)) > 0)
        return hki_fail(HK_BAD_SHAPE,
                        "model %s: inputs=%.0f, but images of %d x %d x %d have %.0f numbers", name,
                        inputs_of(use), height, width, channels, inputs);
    return HK_OK;
}

/* build() is a stranger's: what it returns is looked at. */
static hk_tensor *check_logits(const hki_use *use, const hk_net *net, hk_tensor *logits,
                               int classes, unsigned failures)
{
    const char *name = use->plugin->name;
    if (!logits && hki_failures() == failures)
        return hki_fail_null(HK_BAD_ARGUMENT,
                             "model %s: build() returned NULL, and no layer says why", name);
    if (!logits)
        return NULL;
    if (logits->net != net)
        return hki_fail_null(HK_BAD_ARGUMENT, "model %s: build() returned a tensor of another net",
                             name);
    const hk_shape *shape = &logits->shape;
    if (shape->ndim != 2 || shape->dims[0] != HK_BATCH || shape->dims[1] != classes)
        return hki_fail_null(HK_BAD_SHAPE, "model %s: build() returned %s, expected [batch, %d]",
                             name, hki_shape_text(shape), classes);
    return logits;
}

hk_tensor *hk_model_build(hk_net *net, const char *spec, int height, int width, int channels,
                          int classes)
{
    hki_use use;
    if (hki_null(net, spec) || hki_use_parse(HK_MODEL, spec, &use) != HK_OK ||
        check_images(&use, height, width, channels) != HK_OK)
        return NULL;
    hk_tensor *images = hk_input(net, height, width, channels);
    if (!images)
        return NULL;
    const unsigned failures = hki_failures();
    hk_tensor *logits = use.plugin->model->build(images, classes, use.params);
    return check_logits(&use, net, logits, classes, failures);
}
