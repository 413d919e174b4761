/* parts.h - what the page of a report is made of, in order; html.c puts it together. */
#pragma once
#include "compare/report/analysis.h"
#include "page/draw.h"
#include "page/page.h"
#include <hillock/hillock.h>
#include <stdio.h>

/* The rows of a panel that get pictures: all, or the best with the baseline where they are many. */
enum { MOST_DRAWN = 24 };
typedef struct drawn {
    const row_view *rows[MOST_DRAWN];
    int n;
} drawn;
/* At most so many rows: the best, the baseline, and those whose activation is not one of this program's. */
drawn report_drawn_rows(const panel *p, int most);
/* The class of a row's colour: "s3". */
const char *report_row_class(const row_view *row);
/* NULL where the row is not ranked. */
const standing *report_standing_of(const panel *p, const row_view *row);
/* Whether a layer of a row has the figure at this offset of its record. */
bool report_is_measured(const drawn *d, size_t offset);

/* The scale of a panel's scores, and a row's on it: seeds, mean, interval. */
range report_score_scale(const panel *p);
void report_put_row_picture(FILE *to, const panel *p, const standing *s, const range *scale);

void report_part_beside(FILE *to,
                        const analysis *a);       /* beside_page.c: two comparisons side by side */
void report_part_board(FILE *to, const panel *p); /* board.c: the leaderboard, all its figures */
void report_part_curves(FILE *to, const panel *p, const drawn *d); /* curves.c: learning, cost */
void report_put_score(FILE *to, const panel *p, const drawn *d);
void report_put_loss(FILE *to, const panel *p, const drawn *d);
void report_put_cost(FILE *to, const panel *p, const drawn *d);
void report_part_stream(FILE *to, const panel *p,
                        const drawn *d); /* stream.c: late against early, plasticity */
/* A chart of 360 pixels: a line for each row, its band over the seeds. `what`: the course of a row. */
void report_put_course(FILE *to, const panel *p, const drawn *d, const char *title, bool percent,
                       bool may_be_log, const course *(*what)(const row_view *));
void report_part_quantised(FILE *to, const panel *p); /* quantised.c: nothing where nothing was */
void report_part_rates(FILE *to, const panel *p);     /* rates.c: learning rate, dead share */
void report_part_layers(FILE *to, const panel *p,
                        const drawn *d);                 /* layers.c: strips, outputs, numbers */
void report_part_strips(FILE *to, const drawn *d);       /* strips.c: darkness, gradients */
void report_part_functions(FILE *to, const analysis *a); /* functions.c: values and slopes */
/* Each activation that was compared, once, and its plugin; NULL: not found here by name. */
void report_each_formula(const analysis *a,
                         void (*put)(FILE *to, const char *spec, const hk_plugin *plugin),
                         FILE *to);
void report_part_runs(FILE *to, const analysis *a);    /* runs.c: every run */
void report_part_recipes(FILE *to, const analysis *a); /* recipes.c: what trained the rows */
void report_part_provenance(FILE *to, const analysis *a);
