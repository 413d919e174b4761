/* store.h - comparisons in an SQLite file, written by the coordinator alone.
 *
 * A file holds sweeps by name; a sweep holds rows, a row runs, a run epochs, an epoch layers. Runs
 * are never forgotten: the rows and seeds that the sweep's last command asked for are its results,
 * the others wait to be asked for again. A row is told from another by its specs and the digests of
 * its plugins' files and of its data, so that a changed plugin is another row.
 *
 * A run is planned, then running, then one of ok, failed, timeout, each change one transaction; a
 * coordinator holds a lock on FILE-lock that ends with it, so that what a dead one left running is
 * planned again. On failure functions print the reason and return an exit status. */
#pragma once
#include "compare/results.h"
#include <jansson.h>

typedef struct store store;

/* The file of compare and report where none is named. */
#define STORE_DEFAULT_FILE "hillock-results.db"

/* Opens the file; a coordinator (`writing`) makes one that is missing. A file that is not ours,
 * damaged, of a newer schema or in use by another coordinator is refused untouched. A reader needs
 * no lock and may read while a coordinator writes. */
int compare_store_open(const char *path, bool writing, store **out);
void compare_store_close(store *it);

/* ---- The coordinator ---------------------------------------------------------------------------- */

/* What a command asks for, beside the rows, seeds and settings in `asked`. */
typedef struct store_plan {
    const results *asked;
    const double *rates; /* that --tune tries for every row, each at seed TUNING_SEED */
    int n_rates;
    bool retry;      /* runs that failed are planned once more */
    int part, parts; /* of the asked runs only those of this part, 1 to parts; parts 0: all */
} store_plan;
enum { TUNING_SEED = 1000001 };

/* Plans what is missing, in one transaction. EXIT_USAGE: the sweep of this name has other settings. */
int compare_store_plan(store *it, const store_plan *plan);
/* planned -> running, with one more attempt. */
int compare_store_start(store *it, int64_t run);
/* running -> planned; the attempt does not count. */
int compare_store_release(store *it, int64_t run);
/* -> found->state, with its figures and epochs. */
int compare_store_end(store *it, const run_record *found);
/* The same of a run that another file's coordinator ran, with its attempts; what stood there is gone. */
int compare_store_take(store *it, const run_record *found);
/* Decides the rate of a tuned row, and with it of its final runs. */
int compare_store_choose_rate(store *it, const results *r, int row, double rate);

/* Keeps what was seen of the sweep, unless the same was seen before: verdicts as in look_record. */
int compare_store_look(store *it, const results *of, const char *verdicts);

/* ---- Reading ------------------------------------------------------------------------------------ */

/* The sweep of this name (NULL: the latest one), whole, for reports. */
int compare_store_read(store *it, const char *name, results **out);
/* [{name, command, rows, seeds, runs, ok, failed}], the latest first; tuning does not count. */
int compare_store_list(store *it, json_t **out);
