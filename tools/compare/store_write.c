/* Planning runs and writing down how they ended. */
#include "compare/statement.h"

#include "options.h"
#include "output.h"
#include "compare/provenance.h"

#include <stdlib.h>
#include <string.h>

static int begin(store *it)
{
    return compare_statement_run(it, "BEGIN IMMEDIATE", "");
}

/* Commits, or takes back what a failure left half done. */
static int commit(store *it, int status)
{
    if (!status)
        status = compare_statement_run(it, "COMMIT", "");
    if (status && !sqlite3_get_autocommit(it->db))
        sqlite3_exec(it->db, "ROLLBACK", NULL, NULL, NULL);
    return status;
}

/* ---- Planning -------------------------------------------------------------------------------- */

/* The id of the sweep; 0: there is none, or a failure. */
static int find_sweep(store *it, const results *asked, int64_t *id)
{
    int status = EXIT_DONE;
    sqlite3_stmt *found = compare_statement_new(
        it, "SELECT id, settings FROM sweeps WHERE name = ?", "s", asked->name);
    *id = 0;
    if (!found)
        return EXIT_IO;
    if (compare_statement_next(it, found, &status)) {
        const char *settings = (const char *)sqlite3_column_text(found, 1);
        *id = sqlite3_column_int64(found, 0);
        if (!settings || strcmp(settings, asked->settings) != 0)
            status =
                tool_fail(EXIT_USAGE,
                          "%s: the sweep \"%s\" was made with other settings, %s, not %s; give "
                          "this one another --name",
                          it->path, asked->name, settings ? settings : "none", asked->settings);
    }
    sqlite3_finalize(found);
    return status;
}

/* Who ran the sweep, now and before; tells when that was somebody else. */
static int ask_provenance(store *it, const results *asked, int64_t sweep)
{
    bool others = false;
    char *joined = NULL;
    int status = EXIT_DONE;
    sqlite3_stmt *before = compare_statement_new(
        it,
        "SELECT provenance, (SELECT count(*) FROM runs JOIN rows ON rows.id = row WHERE "
        "sweep = sweeps.id AND state = 'ok') FROM sweeps WHERE id = ?",
        "i", sweep);
    if (!before)
        return EXIT_IO;
    if (compare_statement_next(it, before, &status)) {
        const char *text = (const char *)sqlite3_column_text(before, 0);
        const long long runs = sqlite3_column_int64(before, 1);
        joined = compare_provenance_joined(text && runs ? text : "{}", asked->provenance, &others);
        if (others)
            tool_note(
                "%lld runs are there already, some by another build of hillock or another machine: "
                "their last digits may differ",
                runs);
    }
    sqlite3_finalize(before);
    if (!status)
        status = joined ? compare_statement_run(it, "UPDATE sweeps SET provenance = ? WHERE id = ?",
                                                "si", joined, sweep)
                        : tool_no_memory();
    free(joined);
    return status;
}

static int ask_sweep(store *it, const results *asked, int64_t *id)
{
    int status = find_sweep(it, asked, id);
    if (status)
        return status;
    if (!*id) {
        status =
            compare_statement_run(it,
                                  "INSERT INTO sweeps (name, settings, seeds, epochs, command, "
                                  "provenance, turn) VALUES (?, ?, 0, 0, '', '', 0)",
                                  "ss", asked->name, asked->settings);
        *id = sqlite3_last_insert_rowid(it->db);
    }
    if (!status)
        status = compare_statement_run(it,
                                       "UPDATE sweeps SET seeds = ?, epochs = ?, command = ?, "
                                       "turn = (SELECT max(turn) + 1 FROM sweeps) WHERE id = ?",
                                       "iisi", asked->seeds, asked->epochs, asked->command, *id);
    if (!status)
        status = ask_provenance(it, asked, *id);
    return status ? status
                  : compare_statement_run(it, "UPDATE rows SET place = NULL WHERE sweep = ?", "i",
                                          *id);
}

#define IDENTITY                                                                                   \
    "sweep = ? AND data = ? AND model = ? AND activation = ? AND normalization = ? AND "           \
    "initializer = ? AND optimizer = ? AND plugin_digests = ? AND data_digest = ?"
#define IDENTITY_OF(sweep, row)                                                                    \
    (int64_t)(sweep), (row)->specs[AXIS_DATA], (row)->specs[AXIS_MODEL], (row)->specs[AXIS_ACT],   \
        (row)->specs[AXIS_NORM], (row)->specs[AXIS_INIT], (row)->specs[AXIS_OPTIMIZER],            \
        (row)->plugin_digests, (row)->data_digest

static int ask_row(store *it, int64_t sweep, const results *asked, int place, int64_t *id)
{
    const row_record *row = &asked->rows[place];
    int status = compare_statement_run(
        it,
        "INSERT OR IGNORE INTO rows (sweep, data, model, activation, normalization, "
        "initializer, optimizer, plugin_digests, data_digest, parameters, multiply_adds, "
        "is_baseline) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 0, 0, 0)",
        "issssssss", IDENTITY_OF(sweep, row));
    if (!status)
        status = compare_statement_run(
            it,
            "UPDATE rows SET place = ?, parameters = ?, multiply_adds = ?, "
            "is_baseline = ? WHERE " IDENTITY,
            "iiiiissssssss", (int64_t)place, row->parameters, row->multiply_adds,
            (int64_t)row->is_baseline, IDENTITY_OF(sweep, row));
    sqlite3_stmt *found = status ? NULL
                                 : compare_statement_new(it, "SELECT id FROM rows WHERE " IDENTITY,
                                                         "issssssss", IDENTITY_OF(sweep, row));
    if (!found)
        return status ? status : EXIT_IO;
    if (compare_statement_next(it, found, &status))
        *id = sqlite3_column_int64(found, 0);
    sqlite3_finalize(found);
    return status;
}

static int ask_runs(store *it, int64_t row, const store_plan *plan)
{
    int status = EXIT_DONE;
    for (int i = 0; i < plan->n_rates && !status; i++)
        status = compare_statement_run(it,
                                       "INSERT OR IGNORE INTO runs (row, seed, rate, tuning) "
                                       "VALUES (?, ?, ?, 1)",
                                       "iid", row, (int64_t)TUNING_SEED, plan->rates[i]);
    for (int64_t seed = 1; seed <= plan->asked->seeds && !status; seed++)
        status = compare_statement_run(it,
                                       "INSERT OR IGNORE INTO runs (row, seed, rate, tuning) "
                                       "SELECT id, ?, coalesce(rate, 0), 0 FROM rows WHERE id = ?",
                                       "ii", seed, row);
    return status;
}

/* No coordinator lives but this one; what a dead one left running was not the run's fault. */
static int release_all(store *it)
{
    return compare_statement_run(it,
                                 "UPDATE runs SET state = 'planned', attempts = attempts - 1 "
                                 "WHERE state = 'running'",
                                 "");
}

/* Runs that chose a rate stay: the row's results stand on it. */
#define RETRIED                                                                                    \
    "(SELECT runs.id FROM runs JOIN rows ON rows.id = runs.row WHERE sweep = ? AND "               \
    "place IS NOT NULL AND state IN ('failed', 'timeout') AND NOT (tuning AND rows.rate IS NOT "   \
    "NULL))"
static int retry(store *it, int64_t sweep)
{
    static const char *const steps[] = {
        "DELETE FROM layers WHERE run IN " RETRIED, "DELETE FROM epochs WHERE run IN " RETRIED,
        "UPDATE runs SET state = 'planned', attempts = 0, failure = NULL, reason = NULL, "
        "last_lines = NULL WHERE id IN " RETRIED};
    int status = EXIT_DONE;
    for (size_t i = 0; i < sizeof steps / sizeof *steps && !status; i++)
        status = compare_statement_run(it, steps[i], "i", sweep);
    return status;
}

/* Rows of before that differ from one of now by digests alone, and what they cost. */
static int tell_changes(store *it, int64_t sweep)
{
    int status = EXIT_DONE;
    sqlite3_stmt *old = compare_statement_new(
        it,
        "SELECT old.model, old.activation, old.data_digest <> new.data_digest, "
        "(SELECT count(*) FROM runs WHERE row = old.id AND state <> 'planned') AS n "
        "FROM rows AS old JOIN rows AS new USING (sweep, data, model, activation, "
        "normalization, initializer, optimizer) WHERE sweep = ? AND old.place IS NULL AND "
        "new.place IS NOT NULL AND n > 0 ORDER BY new.place, old.id",
        "i", sweep);
    if (!old)
        return EXIT_IO;
    while (compare_statement_next(it, old, &status))
        tool_note("%s %s: the %s changed since; %lld earlier runs do not count",
                  (const char *)sqlite3_column_text(old, 0),
                  (const char *)sqlite3_column_text(old, 1),
                  sqlite3_column_int(old, 2) ? "data have" : "plugin has",
                  (long long)sqlite3_column_int64(old, 3));
    sqlite3_finalize(old);
    return status;
}

int compare_store_ask(store *it, const store_plan *plan)
{
    int64_t sweep = 0, row = 0;
    int status = begin(it);
    if (!status)
        status = release_all(it);
    if (!status)
        status = ask_sweep(it, plan->asked, &sweep);
    for (int i = 0; i < plan->asked->n_rows && !status; i++) {
        status = ask_row(it, sweep, plan->asked, i, &row);
        if (!status)
            status = ask_runs(it, row, plan);
    }
    if (!status && plan->retry)
        status = retry(it, sweep);
    status = commit(it, status);
    return status ? status : tell_changes(it, sweep);
}

/* ---- Running --------------------------------------------------------------------------------- */

int compare_store_start(store *it, int64_t run)
{
    return compare_statement_run(it,
                                 "UPDATE runs SET state = 'running', attempts = attempts + 1 "
                                 "WHERE id = ? AND state = 'planned'",
                                 "i", run);
}

int compare_store_release(store *it, int64_t run)
{
    return compare_statement_run(it,
                                 "UPDATE runs SET state = 'planned', attempts = attempts - 1 "
                                 "WHERE id = ? AND state = 'running'",
                                 "i", run);
}

int compare_store_end(store *it, const run_record *found)
{
    int status = begin(it);
    if (!status)
        status = compare_statement_write(
            it,
            "UPDATE runs SET (state, failure, reason, last_lines%s) = (?2, ?3, ?4, ?5%s) "
            "WHERE id = ?1",
            compare_run_figures, found, "issss", found->id, compare_run_state_names[found->state],
            found->failure, found->reason, found->last_lines);
    for (const epoch_record *epoch = found->epochs;
         epoch < found->epochs + found->n_epochs && !status; epoch++) {
        status = compare_statement_write(it, "INSERT INTO epochs (run, epoch%s) VALUES (?1, ?2%s)",
                                         compare_epoch_figures, epoch, "ii", found->id,
                                         (int64_t)epoch->epoch);
        for (int i = 0; i < epoch->n_layers && !status; i++)
            status = compare_statement_write(
                it, "INSERT INTO layers (run, epoch, place%s) VALUES (?1, ?2, ?3%s)",
                compare_layer_figures, &epoch->layers[i], "iii", found->id, (int64_t)epoch->epoch,
                (int64_t)i);
    }
    return commit(it, status);
}

int compare_store_choose_rate(store *it, const results *r, int row, double rate)
{
    int64_t id = 0;
    for (int i = 0; i < r->n_runs && !id; i++)
        id = r->runs[i].row == row ? r->runs[i].id : 0;
    int status = begin(it);
    if (!status)
        status = compare_statement_run(it,
                                       "UPDATE rows SET rate = ? WHERE id = (SELECT row FROM runs "
                                       "WHERE id = ?)",
                                       "di", rate, id);
    if (!status)
        status =
            compare_statement_run(it,
                                  "UPDATE runs SET rate = ? WHERE NOT tuning AND row = (SELECT row "
                                  "FROM runs WHERE id = ?)",
                                  "di", rate, id);
    return commit(it, status);
}
