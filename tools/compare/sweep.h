/* sweep.h - training what a plan asks for and is not in the file of results yet. */
#pragma once
#include "compare/live.h"
#include "compare/plan.h"
#include "compare/store.h"

typedef struct sweep {
    const options *given; /* the caller's, as all above `found` */
    const char *file;
    store *db;
    plan plan;          /* made by compare_plan_make */
    results *found;     /* what there is, after a run */
    run_record **order; /* in which runs are started */
    int first;          /* all before it have ended or are running */
    pool *workers;
    live *view;
} sweep;

/* Runs what the plan asks for: its rows at its seeds. 0, or the exit status, told; EXIT_INTERRUPTED: what
 * was running is planned again. */
int compare_sweep_run(sweep *s);
/* Frees the plan and what was found. */
void compare_sweep_clear(sweep *s);
