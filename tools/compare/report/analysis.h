/* analysis.h - what a report states, computed from what a comparison found; formats only write it.
 *
 * A panel is one data set with one model: rows are ranked within it, never across. The score is
 * test accuracy, or R2 of regression. Curves and layers are means over the seeds that ended well, or, where none did,
 * over what there is. Everything belongs to the analysis; texts may point into the results, which
 * must outlive it. Figures that were not measured are NAN. */
#pragma once
#include "stats/stats.h"
#include "compare/results.h"
#include <stddef.h>

/* Mean, lowest and highest of a row's seeds, at each epoch. */
typedef struct course {
    double *mean, *low, *high;
} course;

typedef enum moment { AT_START, IN_THE_MIDDLE, AT_END, MOMENTS_OF_A_RUN } moment;

/* A layer's outputs at three moments in common bins, all seeds together; shares add up to 1. */
typedef struct layer_histogram {
    double low, high;
    bool has[MOMENTS_OF_A_RUN];
    double shares[MOMENTS_OF_A_RUN][HISTOGRAM_BINS];
} layer_histogram;

typedef struct row_view {
    const row_record *record;
    const char *label; /* what distinguishes it from other rows: "mish", or "mish (layer_norm)" */
    const char *name;  /* the same without the optimizer */
    int colour;        /* its series in every figure; 0: the baseline */
    const run_record *tuning; /* runs that only chose the rate; the others follow them */
    const run_record *runs;   /* by seed */
    int n_tuning, n_runs;
    const run_record **averaged; /* the runs that the figures below are means of */
    int n_averaged, n_epochs, n_layers;
    /* [n_epochs]; score: accuracy, or R2; of the validation and the training data */
    course score, loss, training_score, training_loss;
    /* Of a stream, in which score is the online accuracy and loss the training loss: accuracy on held-out
     * images of the task, effective rank, mean |w|, share of units that learn. */
    course kept, rank, magnitude, learning;
    double early;        /* mean accuracy on the first tenth of the tasks */
    paired_test aging;   /* late less early accuracy, over seeds */
    double aging_p;      /* its p, corrected (Holm) for all rows of the panel */
    const char **layers; /* [n_layers] names */
    double *
        *figures; /* [of compare_layer_figures][n_layers][n_epochs], means; NULL: has no label */
    layer_histogram *histograms; /* [n_layers] */
    double dead, never_positive; /* shares of all units at the end */
    double epoch_seconds, images_per_s, peak_mib, macro_f1, loss_at_test; /* means */
} row_view;

typedef struct panel {
    const char *data, *model;
    char data_name[80]; /* without the folders, where that is enough to distinguish data sets */
    row_view *rows;     /* as in the results */
    int n_rows, baseline;
    standing *standings; /* [n_standings] in order of rank; .row is an index into rows */
    int n_standings;     /* n_rows, or 0 before any seed was run for every row */
    int n_ranked;        /* the same without the last ones, rows that are the same net as another */
    int *same_net;       /* [n_rows] the first row that is the same net, mostly the row itself */
    bool is_stream;      /* epochs are tasks; scores are late accuracies */
    const char *score_of, *score_name,
        *floor_name;    /* "test", or "late"; "accuracy"; "the share of the
                                                       largest class" */
    double floor;       /* the score of who has learned nothing; NAN: not measured */
    int seeds;          /* what the standings are over: seeds that every row has run */
    int64_t *seed_list; /* [seeds] */
    double *scores;     /* [n_rows][seeds], NAN: failed */
    int unfinished;     /* runs still to be done */
    char *sentence;
} panel;

typedef struct analysis {
    const results *of;
    bool varies[AXES];  /* within some panel */
    bool one_at_a_time; /* each row differs from its baseline in one thing alone */
    panel *panels;
    int n_panels;
    int runs, failures, unfinished; /* but for tuning */
    char *sentence;                 /* of all: the panel's, or how many panels found a difference */
    char *looked;                   /* that it was looked at with other seeds; NULL: it was not */
    const struct analysis *with;    /* the one beside which it is shown (beside.h); NULL: none */
    bool is_second;                 /* it is such a one */
    struct block *memory;
} analysis;

/* NULL: out of memory, which it has printed. */
analysis *report_analysis_new(const results *r);
void report_analysis_free(analysis *a);
/* Shows the first beside the second: a label has the same colour in both. False: out of memory, which it has
 * printed. */
bool report_analysis_join(analysis *a, analysis *with);

/* The mean over the units of all layers, at a run's last epoch, of the figure at this offset of a
 * layer's record; NAN: not measured. */
double report_run_mean(const run_record *run, size_t offset);
/* The column of dead units: what it is, in a layer's record, and its heading. Where no row of the panel has it,
 * as in results of 0.1, it is what these knew: units that were never above 0. */
typedef struct dead_column {
    size_t figure;
    const char *name;
} dead_column;
dead_column report_dead_column(const panel *p);
double report_dead_share(const panel *p, const row_view *row);
/* A row's means of that figure, [n_layers][n_epochs]. */
const double *report_layer_means(const row_view *row, size_t offset);
/* Validation loss less training loss, by the same measure. */
double report_loss_gap(const row_view *row, int epoch);
/* "5e-06", "0.031", "1": as p values are read. */
void report_p_text(double p, char *out, size_t size);
/* "lost", "gained", "not shown", "not tested": of a stream, the late accuracy against the early. */
const char *report_aging_name(const row_view *row);
/* Whether tests tell two rows apart, by their letters. */
bool report_told_apart(const standing *a, const standing *b);

/* "better", "not shown": as every format says it. */
const char *report_verdict_name(verdict v);
/* Why a row was not tested, "the baseline failed"; NULL: it was. */
const char *report_verdict_reason(const panel *p, const standing *s, char *out, size_t size);
/* Both in one, with what could have been shown: "not shown, 80 % for 1.20". */
void report_verdict_write(const panel *p, const standing *s, char *out, size_t size);

/* ---- Between analysis.c and the files that fill in its parts (labels.c, rows.c, sentence.c) ----- */

/* Zeroed memory that is freed with the analysis; NULL: out of memory. */
void *report_analysis_take(analysis *a, size_t n, size_t size);
/* The same, all NAN. */
double *report_analysis_take_unknown(analysis *a, size_t n);

/* Whether a row's runs learned a stream of tasks. */
bool report_is_stream(const row_view *row);
/* Fills what a row_view says of its runs, which it has already; false: out of memory. */
bool report_row_average(analysis *a, row_view *row);

/* Fills what a stream's rows say of late against early. False: out of memory. */
bool report_find_aging(analysis *a, panel *p);
/* Fills the short names of panels' data sets. */
void report_name_data_sets(analysis *a);
/* "mish", or "mish (layer_norm, lr=0.1)": with the axes that vary, up to `end`; NULL: out of
 * memory. */
const char *report_row_label(analysis *a, const row_record *row, int end);
/* "relu6 = hard_relu", of rows that are one net. */
const char *report_two_labels(analysis *a, const char *one, const char *other);

/* "mish and silu beat relu by 0.6 to 0.9 points; prelu failed 1 of 5." Claims what verdicts and letters
 * say and nothing else: a higher mean is no difference until a test has shown it. Of a panel's rows,
 * their labels, standings and seeds. Never empty; to be freed; NULL: out of memory. */
char *report_sentence_new(const panel *p);
