/* nn/nn.h - what the files of nn share: a net's choices and its layers' names. */
#pragma once
#include <pthread.h>
#include <hillock/layer.h>
#include "graph/graph.h"
#include "graph/plan.h"
#include "ops/ops.h"

enum { HKI_LAYER_NAME = HK_MAX_LAYER_NAME, HKI_MAX_OVERRIDES = 256, HKI_POOLED_PLANS = 8 };

/* "relu", or "relu~elu": elu in the channels that a treatment overrides. */
typedef struct hki_act_choice {
    hki_use use, other; /* other.plugin is NULL where there is one alone */
} hki_act_choice;

/* "relu+conv2=prelu": this layer's activation is its own. */
typedef struct hki_override {
    char layer[HKI_LAYER_NAME];
    hki_act_choice act;
} hki_override;

/* An evaluation plan that hk_net_predict() keeps for the next caller. */
typedef struct hki_pooled {
    hk_plan *plan;
    const hk_tensor *logits;
    bool busy;
} hki_pooled;

typedef struct hki_choices {
    char *activation_spec, *normalization_spec, *initializer_spec,
        *weight_norm_spec; /* canonical */
    hki_act_choice activation;
    hki_use normalization, initializer, weight_norm;
    hki_override *overrides;
    int n_overrides;
    char (*layers)[HKI_LAYER_NAME];
    int n_layers;
    bool has_norm; /* hk_norm() was called */
    size_t layer_capacity;
    struct hki_card *card; /* card.c; NULL: nothing is known */
    char *remarks;         /* of loading; NULL: none */
    pthread_mutex_t lock;  /* of the pool, and of first values */
    hki_pooled pool[HKI_POOLED_PLANS];
} hki_choices;

/* How a learned tensor is filled: hk_tensor.init. */
typedef struct hki_fill {
    hki_use use;
    int64_t kernel, groups;  /* kernel positions; 1 for dense layers */
    hk_tensor *bias;         /* filled together, or NULL */
    const hk_tensor *result; /* whose following activation sets the gain; NULL: gain 1 */
    double gain;             /* 0: not known yet */
} hki_fill;

/* Fills every learned tensor and slot that is not filled yet. */
hk_status hki_net_fill(hk_net *net);

/* The layer's number for a new layer: `name`, or the prefix and the next number. -1: no memory
 * or name taken. */
int hki_layer_add(hk_net *net, const char *name, const char *prefix);
const char *hki_layer_name(const hk_net *net, int layer); /* "net" for -1 */
/* The first `length` bytes of the spec. */
hk_status hki_act_choice_parse(const char *spec, size_t length, hki_act_choice *out);
hki_override *hki_find_override(const hki_choices *choices, const char *layer); /* NULL: none */
/* A spec that names a layer the net does not have is an error, reported as soon as it is certain. */
hk_status hki_check_overrides(const hk_net *net);
/* From now on this layer's activation is that one, as if the net's spec had named it. */
hk_status hki_choose_for_layer(hk_net *net, int layer, const hki_act_choice *act);
/* Frees the plans that predictions keep for the next caller: the graph is another from now on. */
void hki_drop_plans(hk_net *net);
/* Activates x by f, already with its slots, and g, whose slots are made: "conv1.act.other.slope". No
 * channel is swapped yet: "conv1.act.swapped". */
hk_tensor *hki_record_override(hk_tensor *x, const hki_use *f, hk_tensor *const *f_slots,
                               const hki_use *g);
/* Draws a weight anew, as the first time but with another key; bias may be NULL. */
hk_status hki_draw_weight(const hk_tensor *weight, uint64_t key, float *w, float *bias);
/* The weight of a layer, NULL without one. */
hk_tensor *hki_layer_weight(const hk_net *net, int layer);
