/* hillock/train.h - optimizers, schedules, the training loop, metrics. */
#pragma once
#include <hillock/tensor.h>
#include <hillock/layer.h>
#include <hillock/data.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Optimizers ---------------------------------------------------------------------------------- */

typedef struct hk_optimizer hk_optimizer;

/* "sgd:lr=0.1,momentum=0.9,nesterov=1,decay=1e-4", "adam:lr=0.001,beta1=,beta2=,eps=,decay=",
 * "adamw:...", "rmsprop:lr=0.01,alpha=0.99,eps=,decay="; and of each clip=1, the maximum gradient norm of steps
 * that are given none. Weight decay is added to the gradient
 * (adamw: decoupled) and applies to weights and biases, not to slots marked HK_NO_DECAY. Formulas as in
 * PyTorch 1.13. Optimizes the parameters that the net has now: make it when the model is complete.
 * HK_UNKNOWN_NAME, HK_BAD_ARGUMENT: the message has the choices. */
hk_status hk_optimizer_new(hk_net *net, const char *spec, hk_optimizer **out);
void hk_optimizer_free(hk_optimizer *optimizer);

/* One step: clips the gradient norm to `clip` if positive, else to that of the spec, multiplies the learning rate by `rate`,
 * updates the parameters, clamps slots to their ranges, clears gradients, commits `plan`. */
void hk_optimizer_step(hk_optimizer *optimizer, hk_plan *plan, double rate, double clip);

/* ---- Schedules ------------------------------------------------------------------------------------- */

/* What the optimizer's learning rate is multiplied by, as a spec in hk_train_options.schedule:
 *     constant
 *     step:every=20%,factor=0.7   times `factor` each time (every=10, factor=0.1)
 *     step:at=50%+75%,factor=0.1  times `factor` at these milestones, at most 16
 *     cosine:min=0.01             along half a cosine to `min` at the end (0)
 *     one-cycle:up=0.3,start=25,end=1e4
 *                                 from 1/start up to 1 over the share `up` of all steps, then down to
 *                                 1/start/end
 *     exponential:from=1,to=0.01,over=100%
 *                                 from `from` to `to` by equal factors over this length, then `to`
 * each with warmup=5%, a linear rise at the beginning (0). A length, `every`, `at`, `over` or `warmup`, is
 * a number of epochs, 3 or 0.5, or with % a share of the whole training, hk_train_options.epochs: then
 * the schedule fits any number of them. The rate steps down between epochs: at the first that begins
 * at or after the milestone, and with every=20% after each epoch where the whole has fewer than five.
 * HK_UNKNOWN_NAME, HK_BAD_ARGUMENT: the message has the choices. */

/* ---- Training ------------------------------------------------------------------------------------- */

enum { HK_HISTOGRAM_BINS = 32 };

/* Statistics of one activation; docs/dead-neurons.md defines them. A unit is a channel. All but `dead`, and
 * those of the last step, are taken on the probed inputs in evaluation mode. */
typedef struct hk_layer_report {
    char layer[HK_MAX_LAYER_NAME]; /* "conv2" */
    int64_t units;                 /* channels */
    double dead;                   /* share of units that do not learn: no gradient reaches their */
                                   /* incoming weights; NAN: they have none that are trained */
    double never_positive;         /* share of units never above 0 */
    double gradient_dead;  /* share of units with |f'(x)| < 1e-3 on all inputs; NAN: has no f' */
    double dormant;        /* share of units with mean |y| <= 0.025 of the layer's */
    double saturated;      /* share of outputs within 0.05 of an asymptote; 0 for unbounded ones */
    double mean, variance; /* of all outputs */
    int64_t histogram[HK_HISTOGRAM_BINS]; /* of the outputs for the first 32 inputs */
    double low, high;                     /* range of the histogram */
    double gradient_norm; /* of the weight, in the last step of the epoch; 0: no weight */
    double update_ratio;  /* norm of that step's update / norm of the weight */
} hk_layer_report;

typedef struct hk_metrics {
    int64_t n;
    int constant; /* 1: the same outputs for all samples; hk_net_constant() says which layer does it */
    int regression; /* 1: r2 and rmse are its figures, accuracy, macro_f1 and auc NAN; 0: the reverse */
    double loss, accuracy; /* loss of regression: mean squared error of standardised targets */
    double macro_f1;       /* mean over classes that occur or are predicted */
    double auc;            /* one-vs-rest, mean over classes that occur */
    /* The accuracy of always answering the most frequent class; the r2 of always answering the mean of
     * the training targets. */
    double floor;
    /* 1 - squared errors / squares about the mean (coefficient of determination); the root of the mean
     * squared error, in the unit of the targets. */
    double r2, rmse;
} hk_metrics;

/* The epoch with the best validation figures so far: of the highest accuracy, or r2, of equal ones that
 * with the lowest loss. An epoch whose validation loss is not finite is never the best. */
typedef struct hk_best_epoch {
    int epoch; /* 0: none yet, or no validation set */
    double train_loss;
    double loss, score; /* on the validation set; score: the accuracy, r2 of regression */
} hk_best_epoch;

typedef struct hk_epoch_report {
    int epoch; /* from 1 */
    double train_loss, rate;
    double images_per_s, seconds; /* without evaluation; since training began */
    /* By the measure of `validation`, without smoothing, weights, augmentation or dropout: of as many
     * training samples as there are for validation, at equal distances; n = 0 without a validation set. */
    hk_metrics training;
    hk_metrics validation; /* n = 0 without a validation set */
    hk_metrics test;       /* n = 0 without a test set */
    hk_best_epoch best;
    /* Of a stream of tasks (docs/streams.md), else NAN: the accuracy of all batches of the epoch, each before
     * the step that learned from it; the effective rank of what the last layer reads, and the mean |w| over
     * the weights of all layers, both after the epoch. The rank is NAN with no_probes, and where no layer is
     * hidden. */
    double online_accuracy, effective_rank, weight_magnitude;
    const hk_layer_report *layers; /* [n_layers], valid until the next epoch */
    int n_layers;                  /* 0 with no_probes */
    int64_t probed;                /* number of probed inputs */
    int64_t judged;                /* number of training samples by which `dead` is judged */
} hk_epoch_report;

typedef struct hk_progress {
    int epoch, epochs;
    int64_t done, of;                        /* samples of this epoch */
    double loss, images_per_s, seconds_left; /* loss: mean of this epoch so far */
    double batch_loss, rate; /* of the batch just trained: its loss before the step, and what the */
                             /* learning rate was multiplied by */
} hk_progress;

struct hk_treatment;
typedef struct hk_train_options {
    const hk_data
        *train; /* required; a stream (hk_data_stream): an epoch is a task, all sets show it */
    const hk_data *validation, *test;           /* may be NULL */
    int epochs, batch;                          /* 0 counts as 1 epoch, a batch size of 64 */
    const char *optimizer, *schedule, *augment; /* defaults "adam", "constant", none */
    double clip, smoothing;                     /* 0: none */
    int patience; /* training ends when so many epochs in a row are not better than the best before,
                      on the validation set; 0: never */
    int keep_best; /* 1: when hk_trainer_run returns, the net has the values of the best epoch, and
                      files saved by the trainer are that net; not together with `doctor` */
    const double *class_weights; /* [classes], copied: the training loss is that of
                                    hk_weighted_cross_entropy; figures of validation and test stay
                                    without weights. NULL: none */
    uint64_t seed;               /* of order and augmentation */
    /* Each batch in parts, shared with the other processes of a team (team.h), which all have the same net,
     * data and options, but for callbacks; see hk_plan_options. Validation, test and probes are computed
     * by each process. */
    int parts;
    const hk_team *team;
    int own_statistics;
    const char *doctor; /* treatments as for hk_treat, "reset:every=2": before every second epoch
                           except the first, by the training set; NULL: none */
    int (*treated)(const struct hk_treatment *, int epoch,
                   void *user);                        /* after each treatment; not 0: stop */
    int no_probes;                                     /* 1: no layer statistics */
    int (*progress)(const hk_progress *, void *user);  /* after each batch; not 0: stop */
    int (*epoch)(const hk_epoch_report *, void *user); /* after each epoch; not 0: stop */
    void *user;
    int zero_;
} hk_train_options;

/* Balanced weights for class_weights: weights[i] = n / (classes that occur * samples of class i), so that
 * all classes weigh the same and a sample 1 on average; 1 for a class that does not occur. */
hk_status hk_class_weights(const hk_data *data, double *weights);

typedef struct hk_trainer hk_trainer;
/* Prepares training of the net that ends in `logits` [batch, classes] with softmax cross-entropy, or, where data
 * are of regression, in outputs [batch, 1] with the mean squared error.
 * HK_BAD_SHAPE: data and net do not fit. Data and net must outlive the trainer. */
hk_status hk_trainer_new(hk_tensor *logits, const hk_train_options *options, hk_trainer **out);
void hk_trainer_free(hk_trainer *trainer);
/* Trains the remaining epochs, or until patience ends. With keep_best the report's layers are then those
 * of the best epoch's net, without gradient norms and update ratios (NAN).
 * HK_DIVERGED: the loss is not finite (the message has epoch and step). HK_STOPPED: a callback requested
 * it. */
hk_status hk_trainer_run(hk_trainer *trainer);
const hk_epoch_report *hk_trainer_report(const hk_trainer *trainer); /* of the last epoch */
int64_t hk_trainer_arena(const hk_trainer *trainer);                 /* size of the training plan */
/* Checkpoints: parameters, state, optimizer, step, epoch, the best epoch; with keep_best, the best
 * epoch's net and beside it the last epoch's. Training that is interrupted and resumed gives the same bits
 * as training without interruption. `model`, a model's spec: `model` may be NULL. Resuming fails with
 * HK_BAD_DATA where the file's optimizer, seed, parts, stream, steps per epoch or, with keep_best, best net do
 * not fit. */
hk_status hk_trainer_save(hk_trainer *trainer, const char *path, const char *model);
hk_status hk_trainer_resume(hk_trainer *trainer, const char *path);

/* Trains; *report is the last epoch's, without layers; `report` may be NULL:
 *     hk_fit(logits, &report, .train = train, .test = test, .epochs = 3). */
#define hk_fit(logits, report, ...)                                                                \
    hk_fit_with((logits), (report), (hk_train_options){__VA_ARGS__, .zero_ = 0})
hk_status hk_fit_with(hk_tensor *logits, hk_epoch_report *report, hk_train_options options);

/* ---- Metrics ---------------------------------------------------------------------------------------- */

/* Metrics of a data set. Free the arrays with hk_evaluation_clear; of regression, they are NULL. */
typedef struct hk_evaluation {
    hk_metrics total;
    int classes;
    int64_t *confusion; /* [classes x classes]: row true, column predicted */
    double *precision, *recall, *f1,
        *auc; /* [classes]; 0/0 counts as 0; auc NAN without positives */
} hk_evaluation;
hk_status hk_evaluate(hk_tensor *logits, const hk_data *data, hk_evaluation *out);
void hk_evaluation_clear(hk_evaluation *evaluation);
/* Whether the net answers the same whatever its input, by up to 32 samples of the data: then out[size] names
 * the operation behind which nothing of the input is left, "group_norm of conv3", "relu of fc2"; else it is
 * "". A normalization over one value, and a layer of dead units, do that. */
hk_status hk_net_constant(hk_tensor *logits, const hk_data *data, char *out, size_t size);
/* The same from logits[n x classes] and labels[n]. */
hk_status hk_evaluation_from(int64_t n, int classes, const float *logits, const int32_t *labels,
                             hk_evaluation *out);
/* Metrics of regression from outputs y[n] and standardised targets[n]; rmse is in their unit, 0 the mean of
 * the training targets. HK_BAD_ARGUMENT: no sample, or a target that is not finite. */
hk_status hk_regression_from(int64_t n, const float *y, const float *targets, hk_metrics *out);

#ifdef __cplusplus
}
#endif
