/* figures.h - what is measured of a run, an epoch and a layer: one row per figure.
 *
 * Messages of workers, the database, JSON, CSV and the tables of a page are loops over these rows, so
 * that a new figure is a row here, a member of its record and the place that measures it. A figure
 * that was not measured is NAN, an empty text, or counts that begin with -1. */
#pragma once
#include "compare/results.h"
#include <jansson.h>
#include <stddef.h>

typedef enum figure_form {
    FIGURE_INTEGER, /* int64_t, at least 0 */
    FIGURE_REAL,    /* double */
    FIGURE_SHARE,   /* the same, from 0 to 1; in percent where people read it */
    FIGURE_TEXT,    /* char [size] */
    FIGURE_COUNTS,  /* int64_t [size / 8], at least 0 */
} figure_form;

typedef enum figure_flags {
    FIGURE_OF_MACHINE = 1, /* the same run on another machine has another value */
    FIGURE_OPTIONAL = 2,   /* absent from JSON where it was not measured; others are null */
    FIGURE_SIGNED = 4,     /* a share that may be below 0, as R2 */
} figure_flags;

/* Figures are made of floats, at most of their squares: what is larger was not measured. */
#define FIGURE_MOST 1e100

typedef struct figure {
    const char *name; /* in messages, in the database, in JSON; NULL ends a table */
    figure_form form;
    size_t offset, size; /* of the record's member; size 0: any, of no record */
    int flags;
    int csv;                 /* column of the CSV, which keeps its place; 0: none */
    const char *report_name; /* in reports, where it differs */
    const char *column;      /* in the database, where it differs */
    const char *label;       /* heading in a page's table, without its unit; NULL: not there */
} figure;

/* Of run_record, epoch_record and layer_record. */
extern const figure compare_run_figures[], compare_epoch_figures[], compare_layer_figures[];

/* Its name in the database. */
const char *compare_figure_column(const figure *f);
/* The figure of a table whose member is at `offset`, as an index. */
int compare_figure_index(const figure *table, size_t offset);
/* A number, as a double; NAN for texts and counts. */
double compare_figure_value(const figure *f, const void *record);
/* Nothing is measured. */
void compare_figures_clear(const figure *table, void *record);

/* What a run is judged by, on the test set, and on the validation set after its last epoch: the accuracy,
 * of regression R2; of a stream of tasks, both times the late accuracy. NAN: not measured. */
double compare_run_score(const run_record *run);
double compare_last_score(const run_record *run);

typedef enum figure_use {
    FIGURES_ALL,       /* under their names */
    FIGURES_CANONICAL, /* but for those of the machine */
    FIGURES_REPORTED   /* under their names in reports */
} figure_use;

/* Adds a record's figures to an object. */
void compare_figures_to_json(json_t *to, const figure *table, const void *record, figure_use use);
/* Whether an object has all figures, each in its form. */
bool compare_figures_fit(const figure *table, const json_t *object);
/* A record's figures from an object that fits. */
void compare_figures_from_json(const figure *table, const json_t *from, void *record);
