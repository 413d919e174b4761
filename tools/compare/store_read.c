/* A sweep out of the file, into memory. The file may have been written by anyone: every number is
 * held to its range, every text may be missing. */
#include "compare/checksum.h"
#include "compare/statement.h"
#include "options.h"
#include "output.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct reading {
    store *from;
    results *to;
    int64_t sweep;
} reading;

/* A failure that ends the reading, when memory was refused. */
static bool is_there(reading *it, const void *memory)
{
    if (!memory && !it->from->status)
        it->from->status = tool_fail(EXIT_FAILED, "%s: out of memory", it->from->path);
    return memory;
}

/* `otherwise` where there is none; NULL: NULL. */
static char *text(reading *it, sqlite3_stmt *row, int column, const char *otherwise)
{
    const char *value = (const char *)sqlite3_column_text(row, column);
    char *copy = value || otherwise ? strdup(value ? value : otherwise) : NULL;
    if (value || otherwise)
        is_there(it, copy);
    return copy;
}

static int integer(sqlite3_stmt *row, int column, int low, int high)
{
    const int64_t value = sqlite3_column_int64(row, column);
    return value < low ? low : value > high ? high : (int)value;
}

static void read_sweep(reading *it, const char *name)
{
    results *to = it->to;
    sqlite3_stmt *row = compare_statement_new(
        it->from,
        "SELECT id, name, command, provenance, settings, seeds, epochs FROM sweeps "
        "WHERE ?1 IS NULL OR name = ?1 ORDER BY turn DESC LIMIT 1",
        "s", name);
    while (compare_statement_next(it->from, row)) {
        it->sweep = sqlite3_column_int64(row, 0);
        to->name = text(it, row, 1, "");
        to->command = text(it, row, 2, "");
        to->provenance = text(it, row, 3, "");
        to->settings = text(it, row, 4, "");
        to->seeds = sqlite3_column_int64(row, 5);
        to->epochs = sqlite3_column_int64(row, 6);
    }
    row = it->sweep && compare_statement_has(it->from, "sweeps", "seeds_before")
              ? compare_statement_new(
                    it->from, "SELECT most, seeds_before FROM sweeps WHERE id = ?", "i", it->sweep)
              : NULL;
    while (compare_statement_next(it->from, row)) {
        to->most = sqlite3_column_int64(row, 0);
        to->seeds_before = sqlite3_column_int64(row, 1);
    }
    if (to->name || it->from->status)
        return;
    char known[512] = "";
    size_t used = 0;
    row = compare_statement_new(it->from, "SELECT name FROM sweeps ORDER BY turn DESC", "");
    while (compare_statement_next(it->from, row))
        if (used < sizeof known)
            used += (size_t)snprintf(known + used, sizeof known - used, "%s%s", used ? ", " : "",
                                     (const char *)sqlite3_column_text(row, 0));
    if (!it->from->status)
        it->from->status =
            name ? tool_fail(EXIT_USAGE, "%s: there is no sweep \"%s\"; known: %s", it->from->path,
                             name, used ? known : "none")
                 : tool_fail(EXIT_BAD_DATA, "%s: there is no sweep in it", it->from->path);
}

/* Files of before have no recipes and no treatments, and one weight norm for a sweep. */
static void read_rows(reading *it)
{
    char *sql = sqlite3_mprintf(
        "SELECT data, model, activation, normalization, initializer, %s, %s, optimizer, "
        "plugin_digests, data_digest, rate, parameters, multiply_adds, is_baseline, %s FROM rows "
        "WHERE sweep = ? AND place IS NOT NULL ORDER BY place",
        compare_statement_has(it->from, "rows", "weight_norm") ? "weight_norm"
                                                               : STORE_OLD_WEIGHT_NORM,
        compare_statement_has(it->from, "rows", "treatment") ? "treatment" : "'none'",
        compare_statement_has(it->from, "rows", "recipe") ? "recipe" : "NULL");
    sqlite3_stmt *row = compare_statement_new(it->from, sql, "i", it->sweep);
    sqlite3_free(sql);
    while (compare_statement_next(it->from, row)) {
        row_record *to = compare_results_add_row(it->to);
        if (!is_there(it, to))
            continue;
        for (int i = 0; i < AXES; i++)
            to->specs[i] = text(it, row, i, "");
        to->plugin_digests = text(it, row, AXES, "");
        to->data_digest = text(it, row, AXES + 1, "");
        to->rate = compare_statement_real(row, AXES + 2);
        to->parameters = sqlite3_column_int64(row, AXES + 3);
        to->multiply_adds = sqlite3_column_int64(row, AXES + 4);
        to->is_baseline = sqlite3_column_int(row, AXES + 5);
        to->recipe = text(it, row, AXES + 6, NULL);
    }
}

static int64_t last_seed(const reading *it)
{
    return it->to->seeds_before + it->to->seeds;
}

#define OF_THE_SWEEP " FROM runs JOIN rows ON rows.id = runs.row "
#define WANTED                                                                                     \
    " WHERE rows.sweep = ? AND rows.place IS NOT NULL AND (runs.tuning OR runs.seed <= ?) "        \
    "ORDER BY rows.place, runs.tuning DESC, runs.seed, runs.rate"

static void read_runs(reading *it)
{
    sqlite3_stmt *row = compare_statement_select(
        it->from,
        "SELECT runs.id, rows.place, seed, tuning, runs.rate, state, attempts, failure, "
        "reason, last_lines%s" OF_THE_SWEEP WANTED,
        &compare_statement_tables[0], "ii", it->sweep, last_seed(it));
    while (compare_statement_next(it->from, row)) {
        run_record *to = compare_results_add_run(it->to);
        if (!is_there(it, to))
            continue;
        to->id = sqlite3_column_int64(row, 0);
        to->row = integer(row, 1, 0, it->to->n_rows - 1);
        to->seed = sqlite3_column_int64(row, 2);
        to->tuning = sqlite3_column_int(row, 3);
        to->rate = compare_statement_real(row, 4);
        to->rate = to->rate > 0 ? to->rate : (double)NAN;
        const char *state = (const char *)sqlite3_column_text(row, 5);
        for (int i = 0; i < RUN_STATES && state; i++)
            if (strcmp(state, compare_run_state_names[i]) == 0)
                to->state = (run_state)i;
        to->attempts = integer(row, 6, 0, 1000000);
        to->failure = text(it, row, 7, NULL);
        to->reason = text(it, row, 8, NULL);
        to->last_lines = text(it, row, 9, NULL);
        compare_statement_read(row, 10, compare_run_figures, to);
    }
}

/* Epochs and layers come in the order of runs, so that the run is found by going on. */
static run_record *run_of(reading *it, sqlite3_stmt *row, int *place)
{
    while (*place < it->to->n_runs && it->to->runs[*place].id != sqlite3_column_int64(row, 0))
        ++*place;
    return *place < it->to->n_runs ? &it->to->runs[*place] : NULL;
}

static void read_epochs(reading *it)
{
    int place = 0;
    sqlite3_stmt *row =
        compare_statement_select(it->from,
                                 "SELECT epochs.run, epoch%s" OF_THE_SWEEP
                                 "JOIN epochs ON epochs.run = runs.id" WANTED ", epoch",
                                 &compare_statement_tables[1], "ii", it->sweep, last_seed(it));
    while (compare_statement_next(it->from, row)) {
        run_record *run = run_of(it, row, &place);
        epoch_record *to = run ? compare_run_add_epoch(run) : NULL;
        if (!run || !is_there(it, to))
            continue;
        to->epoch = integer(row, 1, 1, 1000000);
        compare_statement_read(row, 2, compare_epoch_figures, to);
    }
}

static void read_layers(reading *it)
{
    int place = 0, epoch = 0;
    const run_record *last = NULL;
    sqlite3_stmt *row = compare_statement_select(
        it->from,
        "SELECT layers.run, epoch%s" OF_THE_SWEEP "JOIN layers ON layers.run = runs.id" WANTED
        ", epoch, layers.place",
        &compare_statement_tables[2], "ii", it->sweep, last_seed(it));
    while (compare_statement_next(it->from, row)) {
        run_record *run = run_of(it, row, &place);
        epoch = run == last ? epoch : 0;
        last = run;
        while (run && epoch < run->n_epochs &&
               run->epochs[epoch].epoch != integer(row, 1, 1, 1000000))
            epoch++;
        if (!run || epoch == run->n_epochs)
            continue;
        layer_record *to = compare_epoch_add_layer(&run->epochs[epoch]);
        if (is_there(it, to))
            compare_statement_read(row, 2, compare_layer_figures, to);
    }
}

/* Files of before have no such table. */
static void read_looks(reading *it)
{
    if (!compare_statement_has(it->from, "looks", "seeds"))
        return;
    sqlite3_stmt *row = compare_statement_new(
        it->from, "SELECT seeds, verdicts FROM looks WHERE sweep = ? ORDER BY rowid", "i",
        it->sweep);
    while (compare_statement_next(it->from, row)) {
        look_record *to = compare_results_add_look(it->to);
        if (!is_there(it, to))
            continue;
        to->seeds = sqlite3_column_int64(row, 0);
        to->verdicts = text(it, row, 1, "");
    }
}

/* Runs of before have no checksum. */
static void check_runs(reading *it)
{
    int i = 0;
    sqlite3_stmt *row =
        compare_statement_has(it->from, "runs", "checksum")
            ? compare_statement_new(it->from, "SELECT checksum, runs.id" OF_THE_SWEEP WANTED, "ii",
                                    it->sweep, last_seed(it))
            : NULL;
    while (compare_statement_next(it->from, row)) {
        const bool has_one = sqlite3_column_type(row, 0) != SQLITE_NULL;
        const run_record *run = i < it->to->n_runs ? &it->to->runs[i++] : NULL;
        if (run && has_one && sqlite3_column_int64(row, 0) != compare_run_checksum(run))
            it->from->status = tool_fail(
                EXIT_BAD_DATA, "%s: the database is damaged (run %lld: its checksum differs)",
                it->from->path, (long long)run->id);
    }
}

/* In a transaction: one picture of the file, whatever a coordinator does meanwhile. */
int compare_store_read(store *it, const char *name, results **out)
{
    reading r = {.from = it, .to = calloc(1, sizeof *r.to)};
    compare_statement_begin(it, "BEGIN");
    if (is_there(&r, r.to))
        read_sweep(&r, name);
    if (!it->status) {
        read_rows(&r);
        read_runs(&r);
        read_epochs(&r);
        read_layers(&r);
        read_looks(&r);
        check_runs(&r);
    }
    const int status = compare_statement_commit(it);
    if (status)
        compare_results_free(r.to);
    *out = status ? NULL : r.to;
    return status;
}

int compare_store_list(store *it, json_t **out)
{
    *out = json_array();
    compare_statement_begin(it, "BEGIN");
    sqlite3_stmt *row = compare_statement_new(
        it,
        "SELECT name, command, (SELECT count(*) FROM rows WHERE sweep = sweeps.id AND place IS NOT "
        "NULL), seeds, count(runs.id), coalesce(sum(state = 'ok'), 0), coalesce(sum(state IN "
        "('failed', 'timeout')), 0) FROM sweeps LEFT JOIN rows ON rows.sweep = sweeps.id AND place IS "
        "NOT NULL LEFT JOIN runs ON runs.row = rows.id AND NOT tuning GROUP BY sweeps.id "
        "ORDER BY turn DESC",
        "");
    while (compare_statement_next(it, row)) {
        json_t *one = json_object();
        static const char *const texts[] = {"name", "command"};
        static const char *const counts[] = {"rows", "seeds", "runs", "ok", "failed"};
        for (int i = 0; i < 2; i++) {
            const char *value = (const char *)sqlite3_column_text(row, i);
            json_t *text = tool_json_text(value ? value : "");
            json_object_set_new(one, texts[i], json_is_string(text) ? text : json_string(""));
        }
        for (int i = 0; i < 5; i++)
            json_object_set_new(one, counts[i], json_integer(sqlite3_column_int64(row, 2 + i)));
        json_array_append_new(*out, one);
    }
    const int status = compare_statement_commit(it);
    if (status)
        json_decref(*out);
    return status;
}
