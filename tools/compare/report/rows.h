/* rows.h - between analysis.c, labels.c and rows.c. */
#pragma once
#include "compare/report/analysis.h"

/* Zeroed memory that ends with the analysis; NULL when it is refused. */
void *report_analysis_take(analysis *a, size_t n, size_t size);
/* The same, all NAN. */
double *report_analysis_take_unknown(analysis *a, size_t n);

/* Fills what a row_view says of its runs, which it has already; false: memory was refused. */
bool report_row_average(analysis *a, row_view *row);

/* Fills the short names of panels' data sets. */
void report_name_data_sets(analysis *a);
/* "mish", or "mish (layer_norm, lr=0.1)": with the axes that vary, up to `end`; NULL: memory was
 * refused. */
const char *report_row_label(analysis *a, const row_record *row, int end);
