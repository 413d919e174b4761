/* models.h - the model catalogue: published networks, one file and one row each. */
#pragma once
#include <hillock/layer.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Parameters of a model's spec, "mlp:width=64,depth=3"; those that its row does not list are 0. */
typedef struct hk_model_values {
    int width, depth; /* units of a hidden layer, number of hidden layers */
    int inputs;       /* input features; 0: those of the images */
    int bias;         /* 1 or 0 */
    int norm;         /* 1: normalization layers */
    double dropout; /* drop rate of hidden dense layers' units; where the last is the only dense */
                    /* layer, of its inputs; 0: none */
    double drop_path; /* stochastic depth: drop rate of the last residual branch; that of the */
                      /* branches before it is lower, in proportion to their depth */
} hk_model_values;

typedef struct hk_model {
    const char *name, *summary, *source;
    hk_tensor *(*build)(hk_tensor *x, const hk_model_values *values, int classes); /* logits */
    int height, width, channels; /* of the published input */
    int smallest;                /* minimum height and width */
    int64_t parameters;          /* for the published input, 10 classes, relu, batch_norm; tested */
    int has_norm;                /* 1: normalization layers unless the spec says norm= */
    const char *values;          /* parameters of its spec, "width,depth" */
} hk_model;

extern const hk_model hk_models[]; /* ends with a row without a name */

/* Finds a model by its spec, "mlp:width=64". `values` may be NULL. HK_UNKNOWN_NAME: the message lists the
 * models; HK_BAD_ARGUMENT: a value out of range. [any thread] */
hk_status hk_model_find(const char *spec, const hk_model **model, hk_model_values *values);

/* Records the model of a spec in the net for images of this shape; returns its logits [batch, classes].
 * Fails as hk_model_find; HK_BAD_SHAPE: images too small, or of the wrong size. */
hk_tensor *hk_model_build(hk_net *net, const char *spec, int height, int width, int channels,
                          int classes);

/* Default training settings. */
typedef struct hk_recipe {
    const char *model, *data; /* "": any */
    int64_t most;             /* training samples that it is meant for; 0: any number */
    const char *optimizer, *schedule, *augment;
    int epochs, batch;
    int least_steps; /* in all: small sets take more epochs */
    int is_adapted;  /* 1: batch or epochs follow from a small number of samples */
} hk_recipe;

/* The defaults for a model on `samples` training samples of the data set of this spec, "mnist:DIR".
 * Small sets take smaller batches, a power of 2 near a quarter of the samples, from 8 up to the usual
 * size, and as many epochs as give `least_steps`. `batch`: that of the user, 0: none. Zeroes for
 * NULL. [any thread] */
hk_recipe hk_model_recipe(const hk_model *model, const char *data, int64_t samples, int batch);

#ifdef __cplusplus
}
#endif
