/* quantised.h - what --quantise took from the rows of a panel. */
#pragma once
#include "compare/report/parts.h"

typedef struct quantised_row {
    const row_view *row;
    double score;        /* mean of the quantised nets */
    sample_summary lost; /* score before less score after, of the same net */
    double p_adjusted;   /* by Holm, over all rows; NAN: the baseline, or too few seeds */
    double constant;     /* mean share of units that became constant */
} quantised_row;

/* In the order of rank, those that were quantised; out[p->n_rows]. Returns their number. */
int report_quantised_rows(const panel *p, quantised_row *out);
void report_quantised_print(
    const panel *p); /* for a terminal; nothing where nothing was quantised */
