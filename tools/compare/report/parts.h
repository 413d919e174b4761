/* parts.h - what the page of a report is made of, in order; html.c puts it together. */
#pragma once
#include "compare/report/analysis.h"
#include "page/draw.h"
#include "page/page.h"
#include <stdio.h>

/* The rows of a panel that get pictures: all, or the best with the baseline where they are many. */
enum { MOST_DRAWN = 24 };
typedef struct drawn {
    const row_view *rows[MOST_DRAWN];
    int n;
} drawn;
/* The class of a row's colour: "s3". */
const char *row_class(const row_view *row);
/* NULL where the row is not ranked. */
const standing *standing_of(const panel *p, const row_view *row);
/* Whether a layer of a row has the figure. */
bool is_measured(const drawn *d, layer_figure which);

void part_board(FILE *to, const panel *p); /* board.c: the leaderboard, all its figures */
void part_curves(FILE *to, const panel *p, const drawn *d); /* curves.c: learning, cost */
void part_rates(FILE *to, const panel *p);                  /* rates.c: learning rate, dead share */
void part_layers(FILE *to, const panel *p, const drawn *d); /* layers.c: strips, outputs, numbers */
void part_strips(FILE *to, const drawn *d);                 /* strips.c: darkness, gradients */
void part_functions(FILE *to, const analysis *a);           /* functions.c: values and slopes */
void part_runs(FILE *to, const analysis *a);                /* runs.c: every run */
void part_provenance(FILE *to, const analysis *a);
