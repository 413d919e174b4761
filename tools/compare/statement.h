/* statement.h - SQL as the store speaks it: constant texts, bound values, told failures. */
#pragma once
#include "compare/store.h"
#include <sqlite3.h>

struct store {
    sqlite3 *db;
    const char *path; /* the caller's */
    int lock;         /* descriptor of FILE-lock, or -1 */
};

/* Prepares a statement and binds `values` by `types`: s text or NULL, i int64_t, d double (NAN is
 * NULL). NULL after a failure, which is told. */
sqlite3_stmt *compare_statement_new(store *it, const char *sql, const char *types, ...);
/* The next row: true; the end: false; a failure is told and sets *status. */
bool compare_statement_next(store *it, sqlite3_stmt *statement, int *status);
/* A statement without result. */
int compare_statement_run(store *it, const char *sql, const char *types, ...);
/* Tells the last failure; returns the exit status that belongs to it. */
int compare_statement_failed(store *it);
