/* models.h - the catalogue: published networks, one file each, one row each. */
#pragma once
#include <hillock/layer.h>

/* Values of a model's spec, "mlp:width=64,depth=3"; a model takes those that its row names,
 * others are 0. */
typedef struct hk_model_values {
    int width, depth; /* units of a hidden layer, number of hidden layers */
    int inputs;       /* numbers in one image; 0: as many as the images have */
    int bias;         /* 1 or 0 */
    double drop_path; /* share of the samples that miss the last residual branch while training; */
                      /* branches before it are missed less, in proportion to their depth */
} hk_model_values;

typedef struct hk_model {
    const char *name, *summary, *source;
    hk_tensor *(*build)(hk_tensor *x, const hk_model_values *values, int classes); /* logits */
    int height, width, channels; /* the published input */
    int smallest;                /* least height and width that leave something for each layer */
    int64_t parameters;          /* for the published input, 10 classes, relu, batch_norm; tested */
    int has_norm;                /* 0: has no normalization layers */
    const char
        *values; /* those of hk_model_values that its spec may give, "width,depth"; or NULL */
} hk_model;

extern const hk_model hk_models[]; /* ends with a row without a name */

/* Finds a model by its spec, "mlp:width=64". `values` may be NULL. HK_UNKNOWN_NAME lists what there
 * is; HK_BAD_ARGUMENT: a value out of range. [any thread] */
hk_status hk_model_find(const char *spec, const hk_model **model, hk_model_values *values);

/* Records the model of a spec in the net for images of this shape; the logits [batch, classes].
 * As hk_model_find; HK_BAD_SHAPE when the images do not fit, with the least that would do. */
hk_tensor *hk_model_build(hk_net *net, const char *spec, int height, int width, int channels,
                          int classes);

/* How a model is trained where the user does not say. */
typedef struct hk_recipe {
    const char *model, *data; /* "" fits every model, every data set */
    const char *optimizer, *schedule, *augment;
    int epochs, batch;
} hk_recipe;

/* The recipe for a model on the data set of this spec, "mnist:DIR"; never NULL. */
const hk_recipe *hk_model_recipe(const hk_model *model, const char *data);
