/* ledger.h - the candidates of hillock judge, in the file of results that holds their runs.
 *
 * A candidate has a number, in the order in which they came, and with it its level (stats/race.c). It is
 * written down before its first run and decided once. Number 0 is the first incumbent; the incumbent is
 * the last candidate that was kept. Functions print why they fail, and return an exit status. */
#pragma once
#include "compare/store.h"
#include <jansson.h>

typedef struct candidate {
    int64_t number, against; /* -1: there is none; the incumbent's number */
    char asked[5120];        /* as the user wrote it */
    char identity[5632];     /* by which it is known again: of a file, its digest */
    char spec[5120];         /* an activation; of a file, its name in the ledger's folder */
    char verdict[16];        /* "more", "keep", "drop"; of number 0 "incumbent" */
    char reason[512];        /* of a drop, or "" */
    int64_t seeds;
    double p, difference; /* NAN: unknown */
} candidate;

/* What all calls have in common, as JSON, to be freed; NULL: it has not begun. */
int compare_ledger_settings(store *it, char **out);
/* Begins it with these settings and the first incumbent. */
int compare_ledger_begin(store *it, const char *settings, const candidate *first);
/* The candidate that is known so, as long as it is decided or against this incumbent. */
int compare_ledger_find(store *it, const char *identity, int64_t incumbent, candidate *out);
int compare_ledger_incumbent(store *it, candidate *out);
/* The number of the next one. */
int compare_ledger_next(store *it, int64_t *number);
int compare_ledger_add(store *it, const candidate *of);
/* Writes verdict, reason, seeds, p, difference. */
int compare_ledger_decide(store *it, const candidate *of);
