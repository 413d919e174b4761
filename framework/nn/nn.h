/* nn/nn.h - what the files of nn share: a net's choices and its layers' names. */
#pragma once
#include <pthread.h>
#include <hillock/layer.h>
#include "core/graph.h"
#include "core/plan.h"
#include "ops/ops.h"

enum { HKI_LAYER_NAME = 64, HKI_MAX_OVERRIDES = 64, HKI_POOLED_PLANS = 8 };

/* "relu+conv2=prelu": this layer's activation is its own. */
typedef struct hki_override {
    char layer[HKI_LAYER_NAME];
    hki_use use;
} hki_override;

/* An evaluation plan that hk_net_predict() keeps for the next caller. */
typedef struct hki_pooled {
    hk_plan *plan;
    const hk_tensor *logits;
    bool busy;
} hki_pooled;

typedef struct hki_choices {
    char *activation_spec, *normalization_spec, *initializer_spec, *weight_norm_spec; /* canonical */
    hki_use activation, normalization, initializer, weight_norm;
    hki_override *overrides;
    int n_overrides;
    char (*layers)[HKI_LAYER_NAME];
    int n_layers, layer_capacity;
    pthread_mutex_t lock; /* of the pool, and of first values */
    hki_pooled pool[HKI_POOLED_PLANS];
} hki_choices;

/* How a learned tensor is filled: hk_tensor.init. */
typedef struct hki_fill {
    hki_use use;
    int64_t kernel, groups; /* kernel positions; 1 for dense layers */
    hk_tensor *bias;        /* filled together, or NULL */
    const hk_tensor *result; /* whose following activation sets the gain; NULL: gain 1 */
} hki_fill;

/* Fills every learned tensor and slot that is not filled yet. */
hk_status hki_net_fill(hk_net *net);

/* The layer's number for a new layer: `name`, or the prefix and the next number. -1: no memory
 * or name taken. */
int hki_layer_add(hk_net *net, const char *name, const char *prefix);
const char *hki_layer_name(const hk_net *net, int layer); /* "net" for -1 */
/* The weight of a layer, NULL without one. */
hk_tensor *hki_layer_weight(const hk_net *net, int layer);
