/* hillock/doctor.h - finds units that do not learn, the causes, and treats them.
 *
 * A unit of a convolution is a channel over all its positions; a unit of a dense layer is one
 * output. All statistics depend on the data that was examined, so results have the number of inputs.
 * docs/dead-neurons.md defines them. */
#pragma once
#include <hillock/data.h>
#include <hillock/tensor.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ==== Examination ============================================================================= */

/* Why a unit does not learn; if several apply, the first in this order. */
typedef enum hk_cause {
    HK_CAUSE_NONE = 0,  /* it learns */
    HK_CAUSE_INPUT,     /* first layer: the inputs are far from mean 0 and standard deviation 1 */
    HK_CAUSE_BORN,      /* it did not learn before the first step, either */
    HK_CAUSE_STARVED,   /* its input is constant: the layers before are dead */
    HK_CAUSE_READERS,   /* it has a slope, but nothing comes back: what reads it is dead or 0 */
    HK_CAUSE_THRESHOLD, /* with its activation's slots at their initial values it would learn */
    HK_CAUSE_STEP,      /* one step changed the layer's parameters by more than their norm */
    HK_CAUSE_DECAY,     /* weight decay has shrunk its weights to nearly 0 */
    HK_CAUSE_BIAS,      /* without its bias it would learn */
    HK_CAUSE_WEIGHTS,   /* without its bias it would not learn, either */
    HK_CAUSE_COUNT
} hk_cause;
const char *hk_cause_name(hk_cause cause); /* "bias"; "none" */

typedef struct hk_unit_finding {
    int not_learning;   /* 1: the gradient of its incoming weights is 0 */
    int gradient_dead;  /* 1: no slope: |f'(x)| stayed below 1e-3; if rowwise, of constant output */
    int never_positive; /* 1: no output above 0 */
    int dormant;        /* 1: score <= options.tau */
    hk_cause cause;     /* if it does not learn */
    double score;       /* mean |y| / mean |y| of the layer; NAN: the layer's outputs are all 0 */
    double zeros,
        saturated; /* shares of its outputs that are 0; that are within 0.05 of an asymptote */
    double x_min, x_max; /* range of the activation's input; NAN for rowwise activations */
    double bias;         /* or beta of the normalization; 0 without one */
    double weight;       /* norm of its incoming weights, or |gamma|; NAN without */
    double negative;     /* share of its incoming weights below 0; NAN without */
} hk_unit_finding;

enum { HK_SEEN_POINTS = 4 }; /* after 64, 256, 1024 and all inputs */

typedef struct hk_layer_finding {
    char layer[HK_MAX_LAYER_NAME], activation[64];                       /* "conv2", "relu" */
    int64_t units, not_learning, gradient_dead, never_positive, dormant; /* numbers of units */
    int64_t not_learning_seen[HK_SEEN_POINTS]; /* judged by the first inputs only */
    int has_slope;                             /* 0: rowwise, gradient_dead does not apply */
    double zeros, saturated;                   /* shares of all outputs */
    double effective_rank;                     /* NAN: more than 512 units */
    int64_t rank_rows;                         /* rows of activations that it was computed from */
    hk_cause cause;                            /* of most units that do not learn */
    int64_t causes[HK_CAUSE_COUNT];            /* numbers of units */
    char why[512];                             /* a sentence with the evidence; "" if all is well */
    const hk_unit_finding *found;              /* [units] */
} hk_layer_finding;

/* A recommendation. Treatments come first, in no order: how many units one reaches is not how well the net
 * learns afterwards. */
typedef struct hk_advice {
    char treatment[32]; /* "bias", "redo", "reset", "surrogate", "lgb_relu"; "": not a treatment */
    int64_t units;      /* units that it is predicted to reach */
    char text[320];     /* what to do, and the predicted effect */
} hk_advice;

enum { HK_MAX_ADVICE = 12 };

typedef struct hk_examination {
    int64_t inputs;               /* examined */
    int64_t seen[HK_SEEN_POINTS]; /* numbers of inputs after which not_learning_seen was counted */
    int n_seen;                   /* fewer where there were fewer inputs */
    double tau;                   /* threshold of the dormant score */
    double input_mean, input_deviation; /* of the input channel that is farthest from 0 and 1 */
    int64_t units, not_learning;        /* of all layers */
    int n_layers;
    const hk_layer_finding *layers; /* [n_layers], in order of computing */
    int n_advice;
    hk_advice advice[HK_MAX_ADVICE];
} hk_examination;

/* Training history in a checkpoint, see hk_trainer_save. */
typedef struct hk_record_layer {
    char layer[HK_MAX_LAYER_NAME];
    double start;  /* norm of the layer's parameters before the first step; of large tensors */
                   /* estimated from two runs of 4096 */
    double growth; /* largest factor by which one step changed that norm */
    int64_t step;  /* that step, from 1 */
} hk_record_layer;

typedef struct hk_record {
    char start[65]; /* hk_net_digest before the first step */
    char optimizer[256];
    uint64_t seed;
    int64_t steps;
    double first_loss, max_loss;
    int64_t max_loss_step; /* the step of the largest loss, from 1 */
    int n_layers;
    const hk_record_layer *layers; /* [n_layers] */
} hk_record;

/* Reads the history of a file; free with hk_record_free. *out is NULL, with HK_OK, if the file has none. HK_BAD_DATA: not a saved net, or a damaged record. [any thread] */
hk_status hk_record_read(const char *path, hk_record **out);
void hk_record_free(hk_record *record);

typedef struct hk_examine_options {
    double tau;              /* dormant score; 0 counts as 0.025 */
    int64_t inputs;          /* number to examine, spread over the data; 0: all */
    const hk_record *record; /* training history; NULL: no cause step or decay */
    hk_tensor *start;        /* logits of the same model before its first step, in another net;
                                NULL: no cause born */
    int zero_;
} hk_examine_options;

/* Examines the net that ends in `logits` on `data`, the training set, in training mode, forward and backward,
 * without changing it; `options` may be NULL. Free *out with hk_examination_free.
 * HK_BAD_ARGUMENT: the net has no activation, or `start` has other layers, or an option is below 0; HK_BAD_SHAPE: net and data do
 * not fit; HK_DIVERGED: outputs that are not finite; HK_NO_MEMORY. [one thread] */
hk_status hk_examine(hk_tensor *logits, const hk_data *data, const hk_examine_options *options,
                     hk_examination **out);
void hk_examination_free(hk_examination *examination);

/* ==== Treatment =================================================================================== */

/* The dead units of one layer, those that do not learn and have no slope, and their treatment. */
typedef struct hk_treated_layer {
    char layer[HK_MAX_LAYER_NAME];
    int64_t units, dead, treated;
    char note[256]; /* why some were not treated; "" */
} hk_treated_layer;

typedef struct hk_treatment {
    int64_t inputs;        /* examined */
    int64_t dead, treated; /* of all layers */
    int graph_changed;     /* 1: plans and optimizers made before are invalid */
    double shift;          /* largest change of the mean of a logit */
    int n_layers;
    const hk_treated_layer *layers; /* [n_layers], those with dead units */
} hk_treatment;

typedef struct hk_treat_options {
    uint64_t seed;  /* random seed of new weights */
    int64_t inputs; /* number to examine, spread evenly over the data; 0: all */
    struct hk_optimizer
        *optimizer; /* whose moments of reinitialized weights are cleared; NULL: none */
    int zero_;
} hk_treat_options;

/* Treats the dead units of the net that ends in `logits`, as found on `data`, by one or more methods,
 * "reset", "redo,surrogate":
 *   reset:to=leaky_relu         another activation in dead channels, permanently
 *   lgb_relu                    the same with lgb_relu, whose threshold falls until the unit is active
 *   surrogate:to=relu_bsilu,epochs=1   the same for a number of epochs
 *   redo                        incoming weights reinitialized, outgoing weights 0 (Sokar et al. 2023)
 *   bias:q=0.1                  bias shifted so that the unit is active on a share q of inputs
 * All but redo first scale a unit's input down to a root mean square of 1, and its outgoing weights to
 * the size of new ones, where they are larger. All preserve the mean input of each activation and the
 * mean of the logits on 1000 inputs, spread evenly, where a bias allows it (bias: before the treated units
 * are active). redo, lgb_relu and surrogate preserve the function of a relu net. With another activation
 * in some channels the net's spec becomes "relu+conv2=relu~leaky_relu", and conv2.act.swapped is above 0
 * there: the epochs left. Same bits for any number of threads.
 *
 * HK_OK with nothing treated if no unit is dead. HK_UNKNOWN_NAME, HK_BAD_ARGUMENT: no such method, or
 * it applies to no layer that has dead units. While training there is one more, by itself:
 *   continual:rate=1e-4,decay=0.99,maturity=100   after each step units of low utility begin anew,
 *                               dead or not (Dohare et al. 2024, continual backpropagation)
 * Free *out with hk_treatment_free; after HK_NO_MEMORY the
 * net may be partly treated. `options` may be NULL. [one thread] */
hk_status hk_treat(hk_tensor *logits, const hk_data *data, const char *methods,
                   const hk_treat_options *options, hk_treatment **out);
void hk_treatment_free(hk_treatment *treatment);

/* Treats the net that was loaded from the file `from` and saves it as `to`, with everything else in
 * `from`, so that training can be resumed. `options` may be NULL; its optimizer is ignored. HK_IO. */
hk_status hk_treat_saved(hk_tensor *logits, const hk_data *data, const char *methods,
                         const hk_treat_options *options, const char *from, const char *to,
                         hk_treatment **out);

#ifdef __cplusplus
}
#endif
