/* rows.h - between analysis.c and rows.c. */
#pragma once
#include "report/analysis.h"

/* Zeroed memory that ends with the analysis; NULL when it is refused. */
void *analysis_take(analysis *a, size_t n, size_t size);
/* The same, all NAN. */
double *analysis_take_unknown(analysis *a, size_t n);

/* Fills what a row_view says of its runs, which it has already; false: memory was refused. */
bool row_average(analysis *a, row_view *row);
