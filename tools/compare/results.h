/* results.h - what a comparison has found, in memory: rows, their runs, the runs' epochs.
 *
 * A row is one combination of the axes; a run is one row at one seed. Strings and arrays belong to
 * the results and end with them. What was not measured is as figures.h says. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <hillock/train.h>

typedef enum axis {
    AXIS_DATA,
    AXIS_MODEL,
    AXIS_ACT,
    AXIS_NORM,
    AXIS_INIT,
    AXIS_WEIGHT_NORM,
    AXIS_DOCTOR, /* treatments of dead units while training, or "none" */
    AXIS_OPTIMIZER,
    AXES
} axis;
/* The optimizer of a row that nobody named and no worker has resolved yet. */
#define OPTIMIZER_OF_MODEL "the model's own"
extern const char *const compare_axis_names[AXES]; /* "data", "model", "activation", ... */

/* One activation layer after one epoch; counts that begin with -1 where the histogram was not kept,
 * which it is after the first, the middle and the last epoch. */
typedef hk_layer_report layer_record;
enum { HISTOGRAM_BINS = HK_HISTOGRAM_BINS };

/* Loss, accuracy, F1 and R2 are those of the validation set; classes have no R2, regression nothing else.
 * The training figures are by the same measure, of as many training samples; train_loss: the one
 * that was minimised, with its smoothing and weights, averaged while the epoch went on. */
typedef struct epoch_record {
    int epoch; /* from 1 */
    double train_loss, loss, accuracy, macro_f1, r2;
    double training_loss, training_accuracy, training_r2;
    double online_accuracy, effective_rank,
        weight_magnitude;         /* of a stream of tasks, an epoch each */
    double seconds, images_per_s; /* seconds: this epoch's training */
    layer_record *layers;
    int n_layers;
} epoch_record;

typedef enum run_state {
    RUN_PLANNED,
    RUN_RUNNING,
    RUN_OK,
    RUN_FAILED,
    RUN_TIMEOUT,
    RUN_CANCELLED,
    RUN_STATES
} run_state;
extern const char *const compare_run_state_names[RUN_STATES]; /* "planned", "running", "ok", ... */

typedef struct run_record {
    int64_t id;
    int row; /* index into results.rows */
    int64_t seed;
    bool tuning; /* a run that only chose the rate: never looked at the test set */
    double rate; /* learning rate it was given by --tune; NAN: the row's own */
    run_state state;
    char *
        failure; /* class: "diverged", "signal SIGSEGV", "exit 3", "timeout", "memory", ... or NULL */
    char *reason;     /* a sentence, or NULL */
    char *last_lines; /* what it printed last, or NULL */
    int attempts;
    /* The end of a run that is RUN_OK; the test set was used once. */
    double test_loss, test_accuracy, test_macro_f1, test_floor;
    double test_r2, test_rmse; /* of regression, in place of accuracy and F1 */
    /* Of a stream: means of the online accuracy over the first and the last tenth of the tasks. */
    double early_accuracy, late_accuracy;
    double quantised_score;    /* of the net as --quantise has it: accuracy, or R2 */
    double quantised_constant; /* share of units that have one value then, and had more before */
    char constant
        [96]; /* where all answers are the same: "relu of fc2", which makes them so; or "" */
    double seconds, images_per_s, peak_mib;
    char digest[65]; /* of the trained weights */
    epoch_record *epochs;
    int n_epochs;
} run_record;

typedef struct row_record {
    char *specs[AXES]; /* canonical */
    char *
        plugin_digests; /* "relu 1f3a... batch_norm 77c0...": name and SHA-256 of the file of each */
    char *data_digest;
    char *
        recipe; /* JSON: optimizer, schedule, augment, batch, epochs, steps, as resolved; NULL: unknown */
    double rate; /* chosen by --tune, else NAN */
    int64_t parameters, multiply_adds;
    bool is_baseline; /* per data and model: what the others are tested against */
} row_record;

/* What a command was told when it had run so many seeds of every row. */
typedef struct look_record {
    int64_t seeds;
    char *verdicts; /* JSON: [{data, model, rows: {row: its verdict}}] */
} look_record;

/* The setting "rows" of a sweep that changes one thing at a time: its rows of a data set are one table,
 * whatever their models. */
#define ONE_AT_A_TIME "one at a time"

typedef struct results {
    char *name;       /* of the sweep */
    char *command;    /* the command line that made it */
    char *provenance; /* JSON: version, compiler, processor, instruction set, threads, ... */
    char *settings;   /* JSON: epochs, batch, validation share, ...: what every run has in common */
    int64_t
        most; /* seeds were added until all was decided, up to so many; 0: their number was fixed */
    int64_t seeds, epochs; /* epochs: 0 where each model has its own */
    int64_t seeds_before;  /* the first seed is the next one */
    row_record *rows;      /* those of one data set and model lie together */
    int n_rows;
    run_record *runs; /* ordered by row, tuning first, then seed */
    int n_runs;
    look_record *looks; /* in the order in which they were taken */
    int n_looks;
} results;

void compare_results_free(results *r);
/* Arrays grow by one element, of which nothing is measured; NULL when memory is refused. */
row_record *compare_results_add_row(results *r);
run_record *compare_results_add_run(results *r);
look_record *compare_results_add_look(results *r);
epoch_record *compare_run_add_epoch(run_record *run);
layer_record *compare_epoch_add_layer(epoch_record *epoch);
/* Neither planned nor running. */
bool compare_run_has_ended(const run_record *run);
/* Early and late accuracy from the online accuracies of its epochs; NAN where these were not measured. */
void compare_run_take_stream(run_record *run);
/* Why all answers are the same, where the layer that does it was found or is "". */
void compare_constant_reason(const char *layer, char *out, size_t size);
/* Ends a run so; false when memory is refused. */
bool compare_run_fail(run_record *run, run_state state, const char *failure, const char *reason,
                      const char *last_lines);
/* What they own is freed; they are empty, or all zero. */
void compare_epoch_clear(epoch_record *epoch);
void compare_run_clear(run_record *run);
void compare_row_clear(row_record *row);
