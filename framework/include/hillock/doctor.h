/* hillock/doctor.h - finds units that have stopped learning, says why, and mends them.
 *
 * A unit of a convolution is a channel over all its positions; a unit of a dense layer is one
 * output. Every figure depends on the data it was taken on, so the number of inputs stands beside
 * it. docs/dead-neurons.md defines the figures. */
#pragma once
#include <hillock/data.h>
#include <hillock/tensor.h>

/* ==== Examination ============================================================================= */

/* Why a unit does not learn. Where several are true, the first in this order is named. */
typedef enum hk_cause {
    HK_CAUSE_NONE = 0, /* it learns */
    HK_CAUSE_INPUT,    /* first layer: the net's inputs are far from mean 0 and deviation 1 */
    HK_CAUSE_BORN,     /* it did not learn before the first step either */
    HK_CAUSE_STARVED,  /* what comes in never changes: the layers before are dead */
    HK_CAUSE_STEP,     /* one step changed the layer's parameters more than they were large */
    HK_CAUSE_DECAY,    /* the optimizer's decay has shrunk its weights to nearly nothing */
    HK_CAUSE_BIAS,     /* without its bias it would learn */
    HK_CAUSE_WEIGHTS,  /* without its bias it would not either */
    HK_CAUSE_COUNT
} hk_cause;
const char *hk_cause_name(hk_cause cause); /* "bias"; "none" */

typedef struct hk_unit_finding {
    int dead;          /* 1: no output above 0 */
    int gradient_dead; /* 1: |f'(x)| stayed below 1e-3 */
    int dormant;       /* 1: score <= options.tau */
    int not_learning;  /* 1: gradient-dead, or of constant output where channels are mixed */
    hk_cause cause;    /* of a unit that does not learn */
    double score;      /* mean |y|, relative to the mean of its layer; NAN: the layer is silent */
    double zeros, saturated; /* shares of its outputs: 0 exactly; within 0.05 of an asymptote */
    double x_min, x_max;     /* what goes into the activation; NAN where it mixes channels */
    double bias;             /* or the normalization's beta; 0 without one */
    double weight;           /* norm of its incoming weights, or |gamma|; NAN without a weight */
    double negative;         /* share of its incoming weights below 0; NAN without a weight */
} hk_unit_finding;

enum { HK_SEEN_POINTS = 4 }; /* after 64, 256, 1024 and all inputs */

typedef struct hk_layer_finding {
    char layer[64], activation[64];                            /* "conv2", "relu" */
    int64_t units, dead, gradient_dead, dormant, not_learning; /* numbers of units */
    int64_t not_learning_seen[HK_SEEN_POINTS]; /* as far as the first inputs showed */
    int has_slope;                  /* 0: it mixes channels, gradient_dead says nothing */
    double zeros, saturated;        /* shares of all outputs */
    double effective_rank;          /* NAN: more than 512 units */
    int64_t rank_rows;              /* rows of activations that the rank was taken from */
    hk_cause cause;                 /* of most units that do not learn */
    int64_t causes[HK_CAUSE_COUNT]; /* numbers of units */
    char why[512];                  /* a sentence with the evidence; "" when nothing is wrong */
    const hk_unit_finding *found;   /* [units] */
} hk_layer_finding;

/* What could be done, most promising first. */
typedef struct hk_advice {
    char treatment[32]; /* "bias", "redo", "reset", "surrogate", "lgb_relu"; "": not a treatment */
    int64_t units;      /* units not learning that it is predicted to reach */
    char text[320];     /* what to do, and the predicted effect */
} hk_advice;

enum { HK_MAX_ADVICE = 12 };

typedef struct hk_examination {
    int64_t inputs;               /* seen */
    int64_t seen[HK_SEEN_POINTS]; /* numbers of inputs at which not_learning_seen was counted */
    int n_seen;                   /* not more than there were inputs for */
    double tau;                   /* threshold of the dormant score */
    double input_mean, input_deviation; /* of the channel of the inputs farthest from 0 and 1 */
    int64_t units, not_learning;        /* of all layers */
    int n_layers;
    const hk_layer_finding *layers; /* [n_layers], in order of computing */
    int n_advice;
    hk_advice advice[HK_MAX_ADVICE];
} hk_examination;

/* What training left in a file: see hk_trainer_save. */
typedef struct hk_record_layer {
    char layer[64];
    double start;  /* norm of the layer's parameters before the first step; of a large tensor two */
                   /* runs of 4096 stand for all */
    double growth; /* the largest factor by which one step changed that norm */
    int64_t step;  /* which, from 1 */
} hk_record_layer;

typedef struct hk_record {
    char start[65]; /* digest of the net before the first step, as hk_net_digest */
    char optimizer[256];
    uint64_t seed;
    int64_t steps;
    double first_loss, max_loss;
    int64_t max_loss_step; /* with the largest loss, from 1 */
    int n_layers;
    const hk_record_layer *layers; /* [n_layers] */
} hk_record;

/* Reads a file's record; free with hk_record_free. *out is NULL, with HK_OK, when the file holds a
 * net alone. HK_BAD_DATA: not a saved net, or a damaged record. [any thread] */
hk_status hk_record_read(const char *path, hk_record **out);
void hk_record_free(hk_record *record);

typedef struct hk_examine_options {
    double tau; /* dormant score; 0 counts as 0.025 */
    const hk_record
        *record;      /* of the training; NULL: unknown, nothing dies of a step or of decay */
    hk_tensor *start; /* logits of the same model before its first step, in a net of its own;
                                NULL: unknown, no unit is born dead */
    int zero_;
} hk_examine_options;

/* Examines the net that ends in `logits` on all of `data`, in evaluation mode; no parameter
 * changes. `options` may be NULL. *out, to be freed by hk_examination_free, is NULL after a failure.
 * HK_BAD_ARGUMENT: NULL, the net has no activation, or `start` has other layers; HK_BAD_SHAPE: net
 * and data do not fit; HK_DIVERGED: a layer's outputs are not finite; HK_NO_MEMORY. [any thread] on
 * a net that no one is changing. */
hk_status hk_examine(hk_tensor *logits, const hk_data *data, const hk_examine_options *options,
                     hk_examination **out);
void hk_examination_free(hk_examination *examination);

/* ==== Treatment =================================================================================== */

/* What happened to one layer's dead units: those through which no gradient went, on any input. */
typedef struct hk_treated_layer {
    char layer[64];
    int64_t units, dead, treated;
    char note[256]; /* why some were left alone; "" */
} hk_treated_layer;

typedef struct hk_treatment {
    int64_t inputs;        /* on which units were judged */
    int64_t dead, treated; /* of all layers */
    int graph_changed;     /* 1: plans and optimizers made before are of no use any more */
    double shift;          /* how much the mean of a logit has moved, at most */
    int n_layers;
    const hk_treated_layer *layers; /* [n_layers], those with dead units */
} hk_treatment;

typedef struct hk_treat_options {
    uint64_t seed;  /* of new weights */
    int64_t inputs; /* how many to examine, spread evenly over the data; 0: all */
    struct hk_optimizer
        *optimizer; /* its moments of weights that start anew are reset; may be NULL */
    int zero_;
} hk_treat_options;

/* Treats the dead units of the net that ends in `logits`, as found on `data`, by one method or several
 * at once, "reset", "redo,surrogate":
 *   reset:to=leaky_relu         another activation, in dead channels only, for good
 *   lgb_relu                    the same with lgb_relu, whose threshold falls until the unit fires
 *   surrogate:to=relu_bsilu,epochs=1   the same for as many epochs of training, then back
 *   redo                        incoming weights drawn anew, outgoing ones 0 (Sokar et al. 2023)
 *   bias:q=0.1                  bias moved so that a share q of its inputs makes the unit fire
 * All but redo first bring a unit's input down to a root mean square of 1 and the weights that read the
 * unit to the size of new ones, where they are larger. All keep the mean of what goes into each
 * activation, and that of the logits, on 1000 inputs spread evenly, where a bias can (bias: before the
 * treated units fire). redo, lgb_relu and surrogate leave the function of a relu net as it is. A
 * channel that has another activation makes the net's spec "relu+conv2=relu~leaky_relu" and has a
 * number above 0 in conv2.act.swapped, the epochs left. Same bits for any number of threads.
 *
 * HK_OK with nothing treated when no unit is dead. HK_UNKNOWN_NAME, HK_BAD_ARGUMENT: no such method,
 * or it fits no layer that has dead units, in the words of the first. *out, to be freed by
 * hk_treatment_free, is NULL after a failure; only HK_NO_MEMORY may leave the net half treated.
 * `options` may be NULL. [one thread] */
hk_status hk_treat(hk_tensor *logits, const hk_data *data, const char *methods,
                   const hk_treat_options *options, hk_treatment **out);
void hk_treatment_free(hk_treatment *treatment);

/* The same for the net that was loaded from the file `from`, and saves it as `to`, with all else that
 * `from` holds, so that its training can be resumed. options->optimizer is ignored. HK_IO. */
hk_status hk_treat_saved(hk_tensor *logits, const hk_data *data, const char *methods,
                         const hk_treat_options *options, const char *from, const char *to,
                         hk_treatment **out);
