/* rows.h - between analysis.c and the files that fill in its parts. */
#pragma once
#include "compare/report/analysis.h"

/* Zeroed memory that is freed with the analysis; NULL: out of memory. */
void *report_analysis_take(analysis *a, size_t n, size_t size);
/* The same, all NAN. */
double *report_analysis_take_unknown(analysis *a, size_t n);

/* Fills what a row_view says of its runs, which it has already; false: out of memory. */
bool report_row_average(analysis *a, row_view *row);

/* Fills the short names of panels' data sets. */
void report_name_data_sets(analysis *a);
/* "mish", or "mish (layer_norm, lr=0.1)": with the axes that vary, up to `end`; NULL: out of
 * memory. */
const char *report_row_label(analysis *a, const row_record *row, int end);

/* "mish, silu and gelu tie; all beat relu by 0.6 to 0.9 points; prelu failed 1 of 5." Claims what
 * verdicts and groups say and nothing else: a higher mean is called a tie until a test has found a
 * difference. `standings` in order of rank, scores from 0 to 1, names[standing.row]. Never empty;
 * to be freed; NULL: out of memory. */
char *report_sentence_new(const standing *standings, int rows, const char *const *names);
