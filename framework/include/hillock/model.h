/* hillock/model.h - models: writing one, and finding, building and training one by its name.
 *
 * A model file is a plugin: layer functions that record a net, and the tables that every plugin has.
 *
 *     #include <hillock/model.h>
 *     HK_PARAMS({.name = "width", .doc = "units", .type = HK_INTEGER, .value = 32, .low = 1, .high = 4096});
 *     static hk_tensor *build(hk_tensor *x, int classes, const double *p)
 *     {
 *         return hk_linear(hk_act(hk_linear(x, (int)p[0])), classes);
 *     }
 *     static const hk_model model = {.build = build, .height = 28, .width = 28, .channels = 1};
 *     HK_MODEL(shallow, model, .params = params, .summary = "one hidden layer", .source = "unpublished");
 *
 * It is compiled as any plugin, and links nothing: the program that loads it has the layer functions.
 * Wherever a model is named, a spec is: "resnet20", "mlp:width=64,depth=3", "./shallow.so:width=64". */
#pragma once
#include <hillock/layer.h>
#include <hillock/plugin.h>

#ifdef __cplusplus
extern "C" {
#endif

/* HK_RECIPES({.data = "glyphs", .epochs = 3}, {...}) defines `recipes` with the final empty row. */
#define HK_RECIPES(...) static const hk_recipe recipes[] = {__VA_ARGS__, {.data = NULL}}

/* Rows of HK_PARAMS that many models have, and mean alike: norm=1, normalization layers, with their
 * default; dropout=0.5, of hidden dense layers, or else of the last one's input. */
#define HK_NORM_PARAM(by_default)                                                                  \
    {                                                                                              \
        .name = "norm", .doc = "1: normalization layers", .type = HK_INTEGER, .value = by_default, \
        .low = 0, .high = 1                                                                        \
    }
#define HK_DROPOUT_PARAM                                                                           \
    {                                                                                              \
        .name = "dropout", .doc = "share of the units of dense layers dropped in training",        \
        .type = HK_REAL, .flags = HK_HIGH_OPEN, .value = 0, .low = 0, .high = 1                    \
    }

/* The common fields of a row of HK_BUNDLE, and the end of a file with one model. */
#define HK_MODEL_ROW(plugin) .kind = HK_MODEL, .size = sizeof(hk_model), .name = #plugin
#define HK_MODEL(plugin, table, ...)                                                               \
    HK_BUNDLE({HK_MODEL_ROW(plugin), .model = &(table), __VA_ARGS__})

/* Finds a model by its spec. text[HK_MAX_SPEC] becomes the spec in its one form: the name in place of a
 * path, and what differs from the defaults. `text` may be NULL. Fails as hk_plugin_find() and
 * hk_plugin_load() do; HK_BAD_ARGUMENT: a value out of range. [any thread] */
hk_status hk_model_find(const char *spec, const hk_plugin **model, char *text);

/* Height, width and channels of the images that a spec's model is for: the published ones, or 1 x 1 x n
 * with a parameter `inputs=n`. Fails as hk_model_find. [any thread] */
hk_status hk_model_images(const char *spec, int *height, int *width, int *channels);

/* Records the model of a spec in the net for images of this shape; returns its logits [batch, classes].
 * Fails as hk_model_find; HK_BAD_SHAPE: images too small, other than the `inputs` of the spec, or logits
 * of another shape; and as the layers do that it records. */
hk_tensor *hk_model_build(hk_net *net, const char *spec, int height, int width, int channels,
                          int classes);

/* The defaults for a model on `samples` training samples of the data set of this spec, "mnist:DIR".
 * Small sets take smaller batches, a power of 2 near a quarter of the samples, from 8 up to the usual
 * size, and as many epochs as give `least_steps`. `batch`: that of the user, 0: none. Zeroes for
 * NULL, or another kind of plugin. [any thread] */
hk_recipe hk_model_recipe(const hk_plugin *model, const char *data, int64_t samples, int batch);

#ifdef __cplusplus
}
#endif
