/* Planning runs and writing down how they ended. */
#include "compare/seal.h"
#include "compare/statement.h"
#include "options.h"
#include "output.h"
#include "compare/checksum.h"
#include "compare/provenance.h"

#include <stdlib.h>
#include <string.h>

/* The id of the sweep; 0: there is none, or a failure. */
static int64_t find_sweep(store *it, const results *asked)
{
    int64_t id = 0;
    sqlite3_stmt *found = compare_statement_new(
        it, "SELECT id, settings FROM sweeps WHERE name = ?", "s", asked->name);
    while (compare_statement_next(it, found)) {
        const char *settings = (const char *)sqlite3_column_text(found, 1);
        id = sqlite3_column_int64(found, 0);
        if (!settings || strcmp(settings, asked->settings) != 0)
            it->status =
                tool_fail(EXIT_USAGE,
                          "%s: the sweep \"%s\" was made with other settings, %s, not %s; give "
                          "this one another --name",
                          it->path, asked->name, settings ? settings : "none", asked->settings);
    }
    return id;
}

/* Who ran the sweep, now and before; tells when that was somebody else. */
static void write_provenance(store *it, const results *asked, int64_t sweep)
{
    bool others = false;
    char *merged = NULL;
    sqlite3_stmt *before = compare_statement_new(
        it,
        "SELECT provenance, (SELECT count(*) FROM runs JOIN rows ON rows.id = row WHERE "
        "sweep = sweeps.id AND state = 'ok') FROM sweeps WHERE id = ?",
        "i", sweep);
    while (compare_statement_next(it, before)) {
        const char *text = (const char *)sqlite3_column_text(before, 0);
        const long long runs = sqlite3_column_int64(before, 1);
        merged = compare_provenance_merged(text && runs ? text : "{}", asked->provenance, &others);
        if (others)
            tool_note(
                "%lld runs are there already, some by another build of hillock or another machine: "
                "their last digits may differ",
                runs);
    }
    if (!merged && !it->status)
        it->status = tool_no_memory();
    compare_statement_run(it, "UPDATE sweeps SET provenance = ? WHERE id = ?", "si", merged, sweep);
    free(merged);
}

static int64_t plan_sweep(store *it, const results *asked)
{
    int64_t id = find_sweep(it, asked);
    if (!id) {
        compare_statement_run(it,
                              "INSERT INTO sweeps (name, settings, seeds, epochs, command, "
                              "provenance, turn) VALUES (?, ?, 0, 0, '', '', 0)",
                              "ss", asked->name, asked->settings);
        id = sqlite3_last_insert_rowid(it->db);
    }
    compare_statement_run(
        it,
        "UPDATE sweeps SET seeds = ?, seeds_before = ?, most = ?, epochs = ?, command = ?, "
        "turn = (SELECT max(turn) + 1 FROM sweeps) WHERE id = ?",
        "iiiisi", asked->seeds, asked->seeds_before, asked->most, asked->epochs, asked->command,
        id);
    write_provenance(it, asked, id);
    compare_statement_run(it, "UPDATE rows SET place = NULL WHERE sweep = ?", "i", id);
    return id;
}

#define IDENTITY                                                                                   \
    "sweep = ? AND data = ? AND model = ? AND activation = ? AND normalization = ? AND "           \
    "initializer = ? AND weight_norm = ? AND treatment = ? AND optimizer = ? AND plugin_digests = ? AND data_digest = ?"
#define IDENTITY_OF(sweep, row)                                                                    \
    (int64_t)(sweep), (row)->specs[AXIS_DATA], (row)->specs[AXIS_MODEL], (row)->specs[AXIS_ACT],   \
        (row)->specs[AXIS_NORM], (row)->specs[AXIS_INIT], (row)->specs[AXIS_WEIGHT_NORM],          \
        (row)->specs[AXIS_DOCTOR], (row)->specs[AXIS_OPTIMIZER], (row)->plugin_digests,            \
        (row)->data_digest

/* Parts take turns, so that each has something of every row and of every seed. Where a rate is tuned a
 * row is one part's: its final runs wait for the rate that its tuning runs choose. */
static bool is_in_part(const store_plan *plan, int row, int64_t seed)
{
    const int64_t turn = plan->n_rates ? row : (seed - 1) * plan->asked->n_rows + row;
    return !plan->parts || turn % plan->parts == plan->part - 1;
}

static void plan_row_and_runs(store *it, int64_t sweep, const store_plan *plan, int place)
{
    int64_t id = 0;
    const row_record *row = &plan->asked->rows[place];
    compare_statement_run(
        it,
        "INSERT OR IGNORE INTO rows (sweep, data, model, activation, normalization, "
        "initializer, weight_norm, treatment, optimizer, plugin_digests, data_digest, parameters, "
        "multiply_adds, is_baseline) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, 0, 0)",
        "issssssssss", IDENTITY_OF(sweep, row));
    compare_statement_run(it,
                          "UPDATE rows SET place = ?, parameters = ?, multiply_adds = ?, "
                          "is_baseline = ?, recipe = ? WHERE " IDENTITY,
                          "iiiisissssssssss", (int64_t)place, row->parameters, row->multiply_adds,
                          (int64_t)row->is_baseline, row->recipe, IDENTITY_OF(sweep, row));
    sqlite3_stmt *found = compare_statement_new(it, "SELECT id FROM rows WHERE " IDENTITY,
                                                "issssssssss", IDENTITY_OF(sweep, row));
    while (compare_statement_next(it, found))
        id = sqlite3_column_int64(found, 0);
    for (int i = 0; i < plan->n_rates && is_in_part(plan, place, 1); i++)
        compare_statement_run(it,
                              "INSERT OR IGNORE INTO runs (row, seed, rate, tuning) "
                              "VALUES (?, ?, ?, 1)",
                              "iid", id, (int64_t)TUNING_SEED, plan->rates[i]);
    const int64_t before = plan->asked->seeds_before;
    for (int64_t seed = before + 1; seed <= before + plan->asked->seeds && !it->status; seed++)
        if (is_in_part(plan, place, seed))
            compare_statement_run(it,
                                  "INSERT OR IGNORE INTO runs (row, seed, rate, tuning) "
                                  "SELECT id, ?, coalesce(rate, 0), 0 FROM rows WHERE id = ?",
                                  "ii", seed, id);
}

/* Runs that chose a rate stay: the row's results stand on it. */
#define RETRIED                                                                                    \
    "(SELECT runs.id FROM runs JOIN rows ON rows.id = runs.row WHERE sweep = ? AND "               \
    "place IS NOT NULL AND state IN ('failed', 'timeout') AND NOT (tuning AND rows.rate IS NOT "   \
    "NULL))"

/* Rows of before that differ from one of now by digests alone, and what they cost. */
static void note_changes(store *it, int64_t sweep)
{
    sqlite3_stmt *old = compare_statement_new(
        it,
        "SELECT old.model, old.activation, old.data_digest <> new.data_digest, "
        "(SELECT count(*) FROM runs WHERE row = old.id AND state <> 'planned') AS n "
        "FROM rows AS old JOIN rows AS new USING (sweep, data, model, activation, "
        "normalization, initializer, weight_norm, treatment, optimizer) WHERE sweep = ? AND old.place IS NULL AND "
        "new.place IS NOT NULL AND n > 0 ORDER BY new.place, old.id",
        "i", sweep);
    while (compare_statement_next(it, old))
        tool_note("%s %s: the %s changed since; %lld earlier runs do not count",
                  (const char *)sqlite3_column_text(old, 0),
                  (const char *)sqlite3_column_text(old, 1),
                  sqlite3_column_int(old, 2) ? "data have" : "plugin has",
                  (long long)sqlite3_column_int64(old, 3));
}

int compare_store_plan(store *it, const store_plan *plan)
{
    compare_statement_begin(it, "BEGIN IMMEDIATE");
    /* No coordinator lives but this one; what a dead one left running was not the run's fault. */
    compare_statement_run(it,
                          "UPDATE runs SET state = 'planned', attempts = attempts - 1 "
                          "WHERE state = 'running'",
                          "");
    const int64_t sweep = plan_sweep(it, plan->asked);
    for (int i = 0; i < plan->asked->n_rows && !it->status; i++)
        plan_row_and_runs(it, sweep, plan, i);
    if (plan->retry) {
        compare_statement_run(it, "DELETE FROM layers WHERE run IN " RETRIED, "i", sweep);
        compare_statement_run(it, "DELETE FROM epochs WHERE run IN " RETRIED, "i", sweep);
        compare_statement_run(
            it,
            "UPDATE runs SET state = 'planned', attempts = 0, failure = NULL, "
            "reason = NULL, last_lines = NULL, checksum = NULL WHERE id IN " RETRIED,
            "i", sweep);
    }
    compare_seal_write(it, "sweeps", "id = ?", sweep);
    compare_seal_write(it, "rows", "sweep = ?", sweep);
    compare_seal_write(it, "runs", "row IN (SELECT id FROM rows WHERE sweep = ?)", sweep);
    if (!compare_statement_commit(it))
        note_changes(it, sweep);
    return it->status;
}

int compare_store_start(store *it, int64_t run)
{
    compare_statement_begin(it, "BEGIN IMMEDIATE");
    compare_statement_run(it,
                          "UPDATE runs SET state = 'running', attempts = attempts + 1 "
                          "WHERE id = ? AND state = 'planned'",
                          "i", run);
    return compare_statement_commit(it);
}

int compare_store_release(store *it, int64_t run)
{
    compare_statement_begin(it, "BEGIN IMMEDIATE");
    compare_statement_run(it,
                          "UPDATE runs SET state = 'planned', attempts = attempts - 1 "
                          "WHERE id = ? AND state = 'running'",
                          "i", run);
    return compare_statement_commit(it);
}

static void write_end(store *it, const run_record *found)
{
    compare_statement_write(it,
                            "UPDATE runs SET (state, failure, reason, last_lines, checksum%s) = "
                            "(?2, ?3, ?4, ?5, ?6%s) WHERE id = ?1",
                            compare_run_figures, found, "issssi", found->id,
                            compare_run_state_names[found->state], found->failure, found->reason,
                            found->last_lines, compare_run_checksum(found));
    compare_seal_write(it, "runs", "id = ?", found->id);
    for (int e = 0; e < found->n_epochs && !it->status; e++) {
        const epoch_record *epoch = &found->epochs[e];
        compare_statement_write(it, "INSERT INTO epochs (run, epoch%s) VALUES (?1, ?2%s)",
                                compare_epoch_figures, epoch, "ii", found->id,
                                (int64_t)epoch->epoch);
        for (int i = 0; i < epoch->n_layers && !it->status; i++)
            compare_statement_write(
                it, "INSERT INTO layers (run, epoch, place%s) VALUES (?1, ?2, ?3%s)",
                compare_layer_figures, &epoch->layers[i], "iii", found->id, (int64_t)epoch->epoch,
                (int64_t)i);
    }
}

int compare_store_end(store *it, const run_record *found)
{
    compare_statement_begin(it, "BEGIN IMMEDIATE");
    write_end(it, found);
    return compare_statement_commit(it);
}

int compare_store_take(store *it, const run_record *found)
{
    compare_statement_begin(it, "BEGIN IMMEDIATE");
    compare_statement_run(it, "DELETE FROM layers WHERE run = ?", "i", found->id);
    compare_statement_run(it, "DELETE FROM epochs WHERE run = ?", "i", found->id);
    compare_statement_run(it, "UPDATE runs SET attempts = ? WHERE id = ?", "ii",
                          (int64_t)found->attempts, found->id);
    write_end(it, found);
    return compare_statement_commit(it);
}

int compare_store_choose_rate(store *it, const results *r, int row, double rate)
{
    int64_t id = 0;
    for (int i = 0; i < r->n_runs && !id; i++)
        id = r->runs[i].row == row ? r->runs[i].id : 0;
    compare_statement_begin(it, "BEGIN IMMEDIATE");
    compare_statement_run(it,
                          "UPDATE rows SET rate = ? WHERE id = (SELECT row FROM runs WHERE id = ?)",
                          "di", rate, id);
    compare_statement_run(it,
                          "UPDATE runs SET rate = ? WHERE NOT tuning AND row = (SELECT row "
                          "FROM runs WHERE id = ?)",
                          "di", rate, id);
    compare_seal_write(it, "rows", "id = (SELECT row FROM runs WHERE id = ?)", id);
    compare_seal_write(it, "runs", "row = (SELECT row FROM runs WHERE id = ?)", id);
    return compare_statement_commit(it);
}

int compare_store_look(store *it, const results *of, const char *verdicts)
{
    compare_statement_begin(it, "BEGIN IMMEDIATE");
    compare_statement_run(
        it,
        "INSERT INTO looks (sweep, seeds, verdicts) SELECT id, ?1, ?2 FROM sweeps "
        "WHERE name = ?3 AND NOT EXISTS (SELECT * FROM looks WHERE "
        "sweep = sweeps.id AND seeds = ?1 AND verdicts = ?2)",
        "iss", of->seeds, verdicts, of->name);
    compare_seal_write(it, "looks", "rowid = ?", sqlite3_last_insert_rowid(it->db));
    return compare_statement_commit(it);
}
