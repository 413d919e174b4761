/* statement.h - SQL as the store speaks it: constant texts, bound values, told failures. */
#pragma once
#include "compare/figures.h"
#include "compare/store.h"
#include <sqlite3.h>
#include <sys/stat.h>

/* What the weight norm of a row is in a file of before, where it was a setting of the sweep. */
#define STORE_OLD_WEIGHT_NORM                                                                      \
    "(SELECT coalesce(json_extract(settings, '$.weight_norm'), 'none') FROM sweeps WHERE "         \
    "sweeps.id = rows.sweep)"

struct store {
    sqlite3 *db;
    const char *path; /* the caller's */
    int lock;         /* descriptor of FILE-lock, or -1 */
    dev_t device;     /* of the file that a coordinator writes */
    ino_t file;       /* 0: a reader's */
    int status;       /* of the first failure, which was told; statements after it do nothing */
};

/* Forgets the last failure and begins a transaction: "BEGIN", "BEGIN IMMEDIATE". */
void compare_statement_begin(store *it, const char *sql);
/* Ends it, or takes back what a failure left half done; the status. */
int compare_statement_commit(store *it);

/* Prepares a statement and binds `values` by `types`: s text or NULL, i int64_t, d double (NAN is
 * NULL). NULL after a failure. */
sqlite3_stmt *compare_statement_new(store *it, const char *sql, const char *types, ...);
/* The next row: true. At the end, after a failure and for NULL the statement ends: false. */
bool compare_statement_next(store *it, sqlite3_stmt *statement);
/* A statement without result; the store's status. */
int compare_statement_run(store *it, const char *sql, const char *types, ...);
/* Tells the last failure; returns the exit status that belongs to it, which is the store's now. */
int compare_statement_failed(store *it);

/* ---- Figures (figures.h) are columns of their names ----------------------------------------------- */

typedef struct figure_columns {
    const char *table;
    const figure *figures;
} figure_columns;
extern const figure_columns compare_statement_tables[]; /* "runs", "epochs", "layers", NULL */

/* column NULL: whether there is the table. */
bool compare_statement_has(const store *it, const char *table, const char *column);
/* Adds the columns of figures that a new file lacks, or one that was made before the figure, and what
 * sweeps are told of looks. */
int compare_statement_add_columns(store *it);
/* A statement without result whose text has two %s: for the names of the figures, ", NAME, ...", and
 * for their values, which are bound behind `values`. */
void compare_statement_write(store *it, const char *sql, const figure *figures, const void *record,
                             const char *types, ...);
/* A query whose text has one %s: for the figures' columns, in a file that lacks one NULL. */
sqlite3_stmt *compare_statement_select(store *it, const char *sql, const figure_columns *columns,
                                       const char *types, ...);
/* A record's figures out of a query's row, from this column on. */
void compare_statement_read(sqlite3_stmt *row, int column, const figure *figures, void *record);
/* A real of a query's row, held to the range of what can be measured; NAN: it has none. */
double compare_statement_real(sqlite3_stmt *row, int column);
