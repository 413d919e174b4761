/* plan.h - from a command line to rows: the axes cross, every combination is described.
 *
 * Everything that is wrong with the command line shows here, before the first run. No code of a
 * plugin is loaded into this process: workers describe the rows, and a plugin that ends its worker
 * makes rows that have failed before they ran. */
#pragma once
#include "options.h"
#include "workers/pool.h"
#include "compare/results.h"
#include <hillock/data.h>
#include <jansson.h>

enum { MAX_RATES = 64, MAX_ROWS = 10000, MAX_PARTS = 100000 };

/* How workers are run, as the command line says or as is usual. */
pool_limits compare_plan_limits(const options *given);

/* What belongs to a row beside its record. */
typedef struct plan_row {
    json_t *request;      /* for a worker; rate, seed and test are still to be added */
    hk_data_shape images; /* of the data set; n: for training, without those for validation */
    bool has_norm;        /* --norm changes something */
    char norm_remedy[64]; /* what would make it do so, as net_norm_remedy says */
    run_record asking;    /* attempts at describing it, and how it failed, if it did */
} plan_row;

typedef struct plan {
    results *asked; /* rows without runs */
    plan_row *rows; /* [asked->n_rows] */
    double rates[MAX_RATES];
    int n_rates;     /* 0: no tuning */
    int part, parts; /* as in store_plan */
} plan;

/* 0, or the exit status, told. */
int compare_plan_make(const options *given, plan *out);
void compare_plan_clear(plan *it);
