/* options.h - what a command is, and what the command line says.
 *
 * All options of all commands stand in one table (options.c), each with the commands that take it;
 * parsing and help read that table. A function of a command that can fail prints the reason and
 * returns an exit status. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <hillock/status.h>

/* Exit statuses of the program. */
enum {
    EXIT_DONE = 0,
    EXIT_FAILED = 1,
    EXIT_USAGE = 2,
    EXIT_BAD_DATA = 3,
    EXIT_IO = 4,
    EXIT_SOME_RUNS = 5, /* a comparison ended with failed runs */
    EXIT_DROP = 6,      /* answers of judge, whose third, keep, is EXIT_DONE */
    EXIT_MORE = 7,
    EXIT_INTERRUPTED = 130
};

/* Whose options a row of the table belongs to. */
enum {
    LIST = 1,
    INSPECT = 2,
    CURVE = 4,
    TRAIN = 8,
    EVALUATE = 16,
    PREDICT = 32,
    COMPARE = 64,
    BENCH = 128,
    CHECK = 256,
    NEW = 512,
    BUILD = 1024,
    DOCTOR = 2048,
    REPORT = 4096,
    TRY = 8192,
    JUDGE = 16384,
    EXPORT = 32768,
    MERGE = 65536,
    HELP = 131072,
    ALL = HELP - 1 /* but HELP */
};

enum { MAX_TEXTS = 32 };

/* The values of an option that may be repeated. */
typedef struct text_list {
    const char *items[MAX_TEXTS];
    int n;
} text_list;

typedef struct options {
    const char *data, *act, *norm, *init, *weight_norm, *optimizer, *schedule, *augment, *model,
        *stream;
    const char *db, *name, *network, *tune, *baseline, *ledger, *figure, *with;
    const char *part; /* "": given without a value */
    const char *out, *from, *resume, *keep, *freeze, *family, *test;
    const char *tensorboard, *class_weights, *formula, *derivative, *surrogate, *plot, *range,
        *report;
    const char *treat, *doctor, *quantise;
    const char *onnx, *c_source, *torch, *npz;
    text_list plugins, params, data_sets;
    int64_t epochs, batch, seed, seeds, most, threads, stop, patience, parts; /* 0: not given */
    int64_t index;                                                            /* -1: not given */
    int64_t worker;                                                           /* -1: not one */
    int64_t nets;
    int64_t size, jobs;
    double val, clip, smoothing, seconds, deadline, tau, effect, wait;
    bool find_rate, json, help, all, profile, strict, quick, verbose, no_probes, retry, canonical,
        until_decided, one_at_a_time, remedies, forecast, try_treatments, csv, list, no_sync_norm;
    char **operands; /* what is not an option, in order */
    int n_operands;
} options;

typedef struct command {
    const char *name, *operands, *group;
    const char *summary, *about, *examples; /* about: a paragraph, or NULL */
    int bit;                                /* LIST ... */
    int least, most;                        /* operands */
    int (*run)(options *given);
} command;

/* Fills `out` from argv[0..argc-1], what follows the command's name; operands point into it. */
int tool_options_parse(const command *to, int argc, char **argv, options *out);

/* What help says of an option; value: what stands for its value, NULL if it has none. */
typedef struct option_text {
    const char *name, *value, *help;
} option_text;
/* The options of a command, one after the other; *i begins at 0. False: no more. */
bool tool_option_next(const command *of, size_t *i, option_text *out);

/* The commands, one file each. */
int plugin_list_command(options *given);
int net_inspect_command(options *given);
int plugin_curve_command(options *given);
int net_train_command(options *given);
int net_evaluate_command(options *given);
int net_predict_command(options *given);
int compare_command(options *given);
int bench_command(options *given);
int plugin_check_command(options *given);
int plugin_new_command(options *given);
int plugin_build_command(options *given);
int net_doctor_command(options *given);
int export_command(options *given);
int compare_report_command(options *given);
int compare_merge_command(options *given);
int compare_try_command(options *given);
int compare_judge_command(options *given);
int tool_help_command(options *given);
