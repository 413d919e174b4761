/* beside.h - two sweeps side by side: which tables and rows belong together, and in what the sweeps differ.
 *
 * Nothing is tested between two sweeps: each is a family of its own, and a difference of means is all that is
 * said. `here` is the sweep that was asked for first. */
#pragma once
#include "compare/report/analysis.h"
#include <jansson.h>

typedef struct beside_row {
    const char *label;
    const standing *here, *there; /* one of them may be NULL */
} beside_row;

typedef struct beside {
    const panel *here, *there;
    beside_row *rows; /* in the order of here's ranks, then what is there alone; to be freed */
    int n;
} beside;
/* The table that belongs to the k-th of `a`: that of the same data and model, or, of two sweeps that
 * have one each, the other's. False: there is none. */
bool report_beside(const analysis *a, int k, beside *out);
/* there less here, of the means; NAN where one has none. */
double report_beside_difference(const beside_row *row);
/* [{what, here, there}], texts: settings, and what trained the first rows. */
json_t *report_beside_settings(const analysis *a);
