/* A sweep out of the file, into memory. The file may have been written by anyone: every number is
 * held to its range, every text may be missing. */
#include "compare/statement.h"

#include "options.h"
#include "output.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A walk through the results of one query, in the order of the runs. */
typedef struct reading {
    store *from;
    results *to;
    int64_t sweep;
    bool no_memory;
} reading;

static char *copy(reading *it, const char *value)
{
    char *made = value ? strdup(value) : NULL;
    it->no_memory = it->no_memory || (value && !made);
    return made;
}

static char *text(reading *it, sqlite3_stmt *row, int column)
{
    return copy(it, (const char *)sqlite3_column_text(row, column));
}

/* Where a report may count on a text. */
static char *some_text(reading *it, sqlite3_stmt *row, int column)
{
    const char *value = (const char *)sqlite3_column_text(row, column);
    return copy(it, value ? value : "");
}

static int whole(sqlite3_stmt *row, int column, int low, int high)
{
    const int64_t value = sqlite3_column_int64(row, column);
    return value < low ? low : value > high ? high : (int)value;
}

static int unknown_name(reading *it, const char *name)
{
    char known[512] = "";
    int status = EXIT_DONE;
    size_t used = 0;
    sqlite3_stmt *all =
        compare_statement_new(it->from, "SELECT name FROM sweeps ORDER BY turn DESC", "");
    while (all && used < sizeof known && compare_statement_next(it->from, all, &status)) {
        const char *one = (const char *)sqlite3_column_text(all, 0);
        used += (size_t)snprintf(known + used, sizeof known - used, "%s%s", used ? ", " : "",
                                 one ? one : "");
    }
    sqlite3_finalize(all);
    if (status || !all)
        return status ? status : EXIT_IO;
    return name ? tool_fail(EXIT_USAGE, "%s: there is no sweep \"%s\"; known: %s", it->from->path,
                            name, used ? known : "none")
                : tool_fail(EXIT_BAD_DATA, "%s: there is no sweep in it", it->from->path);
}

static int read_sweep(reading *it, const char *name)
{
    int status = EXIT_DONE;
    sqlite3_stmt *row = compare_statement_new(
        it->from,
        "SELECT id, name, command, provenance, settings, seeds, epochs FROM sweeps "
        "WHERE ?1 IS NULL OR name = ?1 ORDER BY turn DESC LIMIT 1",
        "s", name);
    if (!row)
        return EXIT_IO;
    if (compare_statement_next(it->from, row, &status)) {
        results *to = it->to;
        it->sweep = sqlite3_column_int64(row, 0);
        to->name = some_text(it, row, 1);
        to->command = some_text(it, row, 2);
        to->provenance = some_text(it, row, 3);
        to->settings = some_text(it, row, 4);
        to->seeds = sqlite3_column_int64(row, 5);
        to->epochs = sqlite3_column_int64(row, 6);
    } else if (!status) {
        status = unknown_name(it, name);
    }
    sqlite3_finalize(row);
    return status;
}

static void read_row(reading *it, sqlite3_stmt *row)
{
    row_record *to = compare_results_add_row(it->to);
    it->no_memory = it->no_memory || !to;
    if (!to)
        return;
    for (int i = 0; i < AXES; i++)
        to->specs[i] = some_text(it, row, i);
    to->plugin_digests = some_text(it, row, AXES);
    to->data_digest = some_text(it, row, AXES + 1);
    to->rate = compare_statement_real(row, AXES + 2);
    to->parameters = sqlite3_column_int64(row, AXES + 3);
    to->multiply_adds = sqlite3_column_int64(row, AXES + 4);
    to->is_baseline = sqlite3_column_int(row, AXES + 5);
}

static run_state state_of(const char *name)
{
    for (int i = 0; i < RUN_STATES; i++)
        if (name && strcmp(name, compare_run_state_names[i]) == 0)
            return (run_state)i;
    return RUN_PLANNED;
}

static void read_run(reading *it, sqlite3_stmt *row)
{
    run_record *to = compare_results_add_run(it->to);
    it->no_memory = it->no_memory || !to;
    if (!to)
        return;
    to->id = sqlite3_column_int64(row, 0);
    to->row = whole(row, 1, 0, it->to->n_rows - 1);
    to->seed = sqlite3_column_int64(row, 2);
    to->tuning = sqlite3_column_int(row, 3);
    const double rate = compare_statement_real(row, 4);
    to->rate = rate > 0 ? rate : (double)NAN;
    to->state = state_of((const char *)sqlite3_column_text(row, 5));
    to->attempts = whole(row, 6, 0, 1000000);
    to->failure = text(it, row, 7);
    to->reason = text(it, row, 8);
    to->last_lines = text(it, row, 9);
    compare_statement_read(row, 10, compare_run_figures, to);
}

/* Epochs and layers come in the order of runs, so that the run is found by going on. */
static run_record *run_of(reading *it, int64_t id, int *place)
{
    while (*place < it->to->n_runs && it->to->runs[*place].id != id)
        ++*place;
    return *place < it->to->n_runs ? &it->to->runs[*place] : NULL;
}

static void read_epoch(reading *it, sqlite3_stmt *row, run_record *run)
{
    epoch_record *to = run ? compare_run_add_epoch(run) : NULL;
    it->no_memory = it->no_memory || (run && !to);
    if (!to)
        return;
    to->epoch = whole(row, 1, 1, 1000000);
    compare_statement_read(row, 2, compare_epoch_figures, to);
}

static void read_layer(reading *it, sqlite3_stmt *row, epoch_record *epoch)
{
    layer_record *to = epoch ? compare_epoch_add_layer(epoch) : NULL;
    it->no_memory = it->no_memory || (epoch && !to);
    if (!to)
        return;
    compare_statement_read(row, 2, compare_layer_figures, to);
}

/* The epoch of this number; they come in order. */
static epoch_record *epoch_of(run_record *run, int epoch, int *place)
{
    while (run && *place < run->n_epochs && run->epochs[*place].epoch != epoch)
        ++*place;
    return run && *place < run->n_epochs ? &run->epochs[*place] : NULL;
}

static int end_of(reading *it, sqlite3_stmt *statement, int status)
{
    sqlite3_finalize(statement);
    if (!status && it->no_memory)
        status = tool_fail(EXIT_FAILED, "%s: out of memory", it->from->path);
    return status;
}

#define OF_THE_SWEEP " FROM runs JOIN rows ON rows.id = runs.row "
#define WANTED                                                                                     \
    " WHERE rows.sweep = ? AND rows.place IS NOT NULL AND (runs.tuning OR runs.seed <= ?) "        \
    "ORDER BY rows.place, runs.tuning DESC, runs.seed, runs.rate"

static int read_rows(reading *it)
{
    int status = EXIT_DONE;
    sqlite3_stmt *row = compare_statement_new(
        it->from,
        "SELECT data, model, activation, normalization, initializer, optimizer, "
        "plugin_digests, data_digest, rate, parameters, multiply_adds, is_baseline "
        "FROM rows WHERE sweep = ? AND place IS NOT NULL ORDER BY place",
        "i", it->sweep);
    while (row && compare_statement_next(it->from, row, &status))
        read_row(it, row);
    return row ? end_of(it, row, status) : EXIT_IO;
}

static int read_runs(reading *it)
{
    int status = EXIT_DONE;
    sqlite3_stmt *row = compare_statement_select(
        it->from,
        "SELECT runs.id, rows.place, seed, tuning, runs.rate, state, attempts, failure, "
        "reason, last_lines%s" OF_THE_SWEEP WANTED,
        &compare_statement_tables[0], "ii", it->sweep, it->to->seeds);
    while (row && compare_statement_next(it->from, row, &status))
        read_run(it, row);
    return row ? end_of(it, row, status) : EXIT_IO;
}

static int read_epochs(reading *it)
{
    int status = EXIT_DONE, place = 0;
    sqlite3_stmt *row =
        compare_statement_select(it->from,
                                 "SELECT epochs.run, epoch%s" OF_THE_SWEEP
                                 "JOIN epochs ON epochs.run = runs.id" WANTED ", epoch",
                                 &compare_statement_tables[1], "ii", it->sweep, it->to->seeds);
    while (row && compare_statement_next(it->from, row, &status))
        read_epoch(it, row, run_of(it, sqlite3_column_int64(row, 0), &place));
    return row ? end_of(it, row, status) : EXIT_IO;
}

static int read_layers(reading *it)
{
    int status = EXIT_DONE, place = 0, epoch = 0;
    const run_record *last = NULL;
    sqlite3_stmt *row = compare_statement_select(
        it->from,
        "SELECT layers.run, epoch%s" OF_THE_SWEEP "JOIN layers ON layers.run = runs.id" WANTED
        ", epoch, layers.place",
        &compare_statement_tables[2], "ii", it->sweep, it->to->seeds);
    while (row && compare_statement_next(it->from, row, &status)) {
        run_record *run = run_of(it, sqlite3_column_int64(row, 0), &place);
        epoch = run == last ? epoch : 0;
        last = run;
        read_layer(it, row, epoch_of(run, whole(row, 1, 1, 1000000), &epoch));
    }
    return row ? end_of(it, row, status) : EXIT_IO;
}

/* One picture of the file, whatever a coordinator does meanwhile. */
static int read_all(reading *it, const char *name)
{
    int status = compare_statement_run(it->from, "BEGIN", "");
    if (!status)
        status = read_sweep(it, name);
    if (!status)
        status = read_rows(it);
    if (!status)
        status = read_runs(it);
    if (!status)
        status = read_epochs(it);
    if (!status)
        status = read_layers(it);
    sqlite3_exec(it->from->db, "ROLLBACK", NULL, NULL, NULL);
    return status;
}

int compare_store_read(store *it, const char *name, results **out)
{
    reading reader = {.from = it, .to = calloc(1, sizeof(results))};
    *out = NULL;
    if (!reader.to)
        return tool_fail(EXIT_FAILED, "%s: out of memory", it->path);
    int status = read_all(&reader, name);
    if (status) {
        compare_results_free(reader.to);
        return status;
    }
    *out = reader.to;
    return EXIT_DONE;
}
