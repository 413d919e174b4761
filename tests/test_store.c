/* The file of results: what is asked for is planned once, what was found is read back to the bit, and
 * sweeps, settings and changed plugins are told apart. */
#include "compare/ledger.h"
#include "compare/report/formats.h"
#include "compare/store.h"

#include "check.h"
#include "options.h"
#include <fcntl.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static char folder[] = "/tmp/hillock-XXXXXX", path[64];

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* A sweep of `n` activations. */
static results *sweep_of(const char *name, int n, int64_t seeds, const char *digest)
{
    results *it = calloc(1, sizeof *it);
    it->name = strdup(name);
    it->command = strdup("hillock compare");
    it->provenance = strdup("{}");
    it->settings = strdup("{\"epochs\":2}");
    it->seeds = seeds;
    for (int i = 0; i < n; i++) {
        row_record *row = compare_results_add_row(it);
        char act[32];
        snprintf(act, sizeof act, "act%d", i);
        const char *const specs[AXES] = {"glyphs",    "mlp",  act,    "none",
                                         "he_normal", "none", "none", "adam"};
        for (int a = 0; a < AXES; a++)
            row->specs[a] = strdup(specs[a]);
        row->plugin_digests = strdup(digest);
        row->data_digest = strdup("77");
        row->parameters = 10 + i;
        row->is_baseline = i == 0;
    }
    return it;
}

static store *open_store(void)
{
    store *it = NULL;
    CHECK_EQUAL(compare_store_open(path, true, &it), EXIT_DONE);
    return it;
}

/* Asks, and reads what there is; NULL after a failure. */
static results *ask(store *it, results *asked, const double *rates, int n_rates, bool retry)
{
    results *found = NULL;
    const store_plan plan = {.asked = asked, .rates = rates, .n_rates = n_rates, .retry = retry};
    if (compare_store_plan(it, &plan) == EXIT_DONE)
        CHECK_EQUAL(compare_store_read(it, asked->name, &found), EXIT_DONE);
    compare_results_free(asked);
    return found;
}

static void measure(run_record *run, int epochs, int layers)
{
    run->state = RUN_OK;
    run->test_accuracy = 0.9 + 1e-3 * (double)run->seed;
    run->test_loss = 1.0 / 3;
    strcpy(run->digest, "d19e57");
    for (int e = 0; e < epochs; e++) {
        epoch_record *epoch = compare_run_add_epoch(run);
        epoch->epoch = e + 1;
        epoch->loss = 0.1 + e;
        for (int i = 0; i < layers; i++) {
            layer_record *layer = compare_epoch_add_layer(epoch);
            strcpy(layer->layer, i ? "fc1" : "conv1");
            layer->units = 6;
            layer->dead = 1.0 / 7;
            layer->gradient_dead = (double)NAN;
            layer->high = 2.5;
            for (int b = 0; b < HISTOGRAM_BINS; b++)
                layer->histogram[b] = i ? -1 : (int64_t)b << 33;
        }
    }
}

/* ---- What is planned ----------------------------------------------------------------------------- */

static void asking_twice_plans_once(void)
{
    store *it = open_store();
    results *r = ask(it, sweep_of("twice", 3, 2, "a"), NULL, 0, false);
    CHECK_EQUAL(r->n_rows, 3);
    CHECK_EQUAL(r->n_runs, 6);
    CHECK_EQUAL(r->runs[5].row, 2);
    CHECK_EQUAL(r->runs[5].seed, 2);
    compare_results_free(r);
    r = ask(it, sweep_of("twice", 3, 3, "a"), NULL, 0, false);
    CHECK_EQUAL(r->n_runs, 9);
    compare_results_free(r);
    r = ask(it, sweep_of("twice", 2, 1, "a"), NULL, 0, false); /* the others wait */
    CHECK_EQUAL(r->n_runs, 2);
    CHECK(r->rows[0].is_baseline && !r->rows[1].is_baseline);
    compare_results_free(r);
    compare_store_close(it);
}

static void other_digests_are_other_rows(void)
{
    store *it = open_store();
    results *r = ask(it, sweep_of("digests", 1, 1, "old"), NULL, 0, false);
    measure(&r->runs[0], 1, 1);
    CHECK_EQUAL(compare_store_end(it, &r->runs[0]), EXIT_DONE);
    compare_results_free(r);
    r = ask(it, sweep_of("digests", 1, 1, "new"), NULL, 0, false);
    CHECK_EQUAL(r->runs[0].state, RUN_PLANNED);
    compare_results_free(r);
    r = ask(it, sweep_of("digests", 1, 1, "old"), NULL, 0, false);
    CHECK_EQUAL(r->runs[0].state, RUN_OK);
    compare_results_free(r);
    compare_store_close(it);
}

/* Asks as a program would; what the file then says of all that asked. */
static char *asked_by(store *it, const char *program, bool measured)
{
    results *asked = sweep_of("makers", 1, 1, "a");
    free(asked->provenance);
    asked->provenance = malloc(64);
    snprintf(asked->provenance, 64, "{\"program\":\"%s\",\"processor\":\"x\"}", program);
    results *r = ask(it, asked, NULL, 0, false);
    char *said = strdup(r->provenance);
    if (measured) {
        measure(&r->runs[0], 1, 1);
        CHECK_EQUAL(compare_store_end(it, &r->runs[0]), EXIT_DONE);
    }
    compare_results_free(r);
    return said;
}

static void who_ran_before_is_kept(void)
{
    static const struct {
        const char *program, *said;
    } steps[] = {
        {"one", "{\"program\":\"one\",\"processor\":\"x\"}"},
        {"two", "{\"program\":\"two\",\"processor\":\"x\"}"}, /* one made no run */
        {"two", "{\"program\":\"two\",\"processor\":\"x\"}"},
        {"three", "{\"program\":\"three\",\"processor\":\"x\",\"earlier\":["
                  "{\"program\":\"two\",\"processor\":\"x\"}]}"},
        {"two", "{\"program\":\"two\",\"processor\":\"x\",\"earlier\":["
                "{\"program\":\"three\",\"processor\":\"x\"}]}"},
    };
    store *it = open_store();
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        char *said = asked_by(it, steps[i].program, i == 1);
        CHECK_TEXT(said, steps[i].said);
        free(said);
    }
    compare_store_close(it);
}

static void other_settings_are_refused(void)
{
    store *it = open_store();
    results *r = ask(it, sweep_of("settings", 1, 1, "a"), NULL, 0, false), *none = NULL;
    compare_results_free(r);
    results *asked = sweep_of("settings", 1, 1, "a");
    asked->settings[10] = '9';
    const store_plan plan = {.asked = asked};
    CHECK_EQUAL(compare_store_plan(it, &plan), EXIT_USAGE);
    compare_results_free(asked);
    CHECK_EQUAL(compare_store_read(it, "no such sweep", &none), EXIT_USAGE);
    CHECK(none == NULL);
    compare_store_close(it);
}

/* ---- What was found ------------------------------------------------------------------------------ */

static void figures_come_back(void)
{
    store *it = open_store();
    results *r = ask(it, sweep_of("figures", 2, 1, "a"), NULL, 0, false);
    CHECK_EQUAL(compare_store_start(it, r->runs[1].id), EXIT_DONE);
    measure(&r->runs[1], 2, 2);
    CHECK_EQUAL(compare_store_end(it, &r->runs[1]), EXIT_DONE);
    compare_results_free(r);
    CHECK_EQUAL(compare_store_read(it, NULL, &r), EXIT_DONE); /* the latest */
    CHECK_TEXT(r->name, "figures");
    const run_record *run = &r->runs[1];
    CHECK_EQUAL(run->state, RUN_OK);
    CHECK_EQUAL(run->attempts, 1);
    CHECK_NEAR(run->test_loss, 1.0 / 3, 0);
    CHECK(isnan(run->rate) && isnan(run->peak_mib));
    CHECK_EQUAL(run->n_epochs, 2);
    CHECK_EQUAL(run->epochs[1].n_layers, 2);
    const layer_record *layer = &run->epochs[1].layers[0];
    CHECK_TEXT(layer->layer, "conv1");
    CHECK_NEAR(layer->dead, 1.0 / 7, 0);
    CHECK(isnan(layer->gradient_dead));
    CHECK(layer->histogram[31] == (int64_t)31 << 33);
    CHECK(run->epochs[1].layers[1].histogram[0] == -1);
    CHECK_EQUAL(r->runs[0].state, RUN_PLANNED);
    compare_results_free(r);
    compare_store_close(it);
}

static void failures_stay_and_can_be_retried(void)
{
    store *it = open_store();
    results *r = ask(it, sweep_of("failures", 1, 2, "a"), NULL, 0, false);
    r->runs[0].state = RUN_FAILED;
    r->runs[0].failure = strdup("signal SIGSEGV");
    r->runs[0].reason = strdup("'); DROP TABLE runs; --");
    CHECK_EQUAL(compare_store_end(it, &r->runs[0]), EXIT_DONE);
    compare_results_free(r);
    r = ask(it, sweep_of("failures", 1, 2, "a"), NULL, 0, false);
    CHECK_EQUAL(r->runs[0].state, RUN_FAILED);
    CHECK_TEXT(r->runs[0].reason, "'); DROP TABLE runs; --");
    compare_results_free(r);
    r = ask(it, sweep_of("failures", 1, 2, "a"), NULL, 0, true);
    CHECK_EQUAL(r->runs[0].state, RUN_PLANNED);
    CHECK(r->runs[0].reason == NULL);
    compare_results_free(r);
    compare_store_close(it);
}

static void what_a_dead_coordinator_left_is_planned_again(void)
{
    store *it = open_store();
    results *r = ask(it, sweep_of("dead", 1, 1, "a"), NULL, 0, false);
    CHECK_EQUAL(compare_store_start(it, r->runs[0].id), EXIT_DONE);
    compare_results_free(r);
    compare_store_close(it);
    it = open_store();
    r = ask(it, sweep_of("dead", 1, 1, "a"), NULL, 0, false);
    CHECK_EQUAL(r->runs[0].state, RUN_PLANNED);
    CHECK_EQUAL(r->runs[0].attempts, 0);
    compare_results_free(r);
    compare_store_close(it);
}

static void rates_are_chosen_once(void)
{
    static const double rates[] = {0.001, 0.01};
    store *it = open_store();
    results *r = ask(it, sweep_of("rates", 1, 1, "a"), rates, 2, false);
    CHECK_EQUAL(r->n_runs, 3);
    CHECK(r->runs[0].tuning && r->runs[1].tuning && !r->runs[2].tuning);
    CHECK_NEAR(r->runs[1].rate, 0.01, 0);
    CHECK(isnan(r->rows[0].rate));
    CHECK_EQUAL(compare_store_choose_rate(it, r, 0, 0.01), EXIT_DONE);
    compare_results_free(r);
    r = ask(it, sweep_of("rates", 1, 2, "a"), rates, 2, false);
    CHECK_EQUAL(r->n_runs, 4);
    CHECK_NEAR(r->rows[0].rate, 0.01, 0);
    CHECK_NEAR(r->runs[3].rate, 0.01, 0);
    compare_results_free(r);
    compare_store_close(it);
}

/* Some bytes of the header written over: refused as it was, or found to be of no importance. */
static void damaged_files_are_refused_untouched(void)
{
    char copy[80], order[256], before[4096], after[4096];
    snprintf(copy, sizeof copy, "%s/damaged.db", folder);
    for (int offset = 0; offset < 100; offset += 7) {
        store *it = NULL;
        snprintf(order, sizeof order, "cp %s %s", path, copy);
        CHECK_EQUAL(system(order), 0);
        int fd = open(copy, O_RDWR);
        CHECK(fd >= 0 && pwrite(fd, "\xFF\x01\x80\x7F\xFE", 5, offset) == 5);
        CHECK(pread(fd, before, sizeof before, 0) == sizeof before);
        if (compare_store_open(copy, true, &it) == EXIT_DONE) { /* bytes that mean nothing */
            compare_store_close(it);
        } else {
            CHECK(it == NULL && pread(fd, after, sizeof after, 0) == sizeof after);
            CHECK(memcmp(before, after, sizeof before) == 0);
        }
        close(fd);
    }
}

/* All that a file says; NULL: it is refused. */
static char *said_by(const char *file)
{
    store *it = NULL;
    results *r = NULL;
    char *said = NULL;
    if (compare_store_open(file, false, &it) == EXIT_DONE &&
        compare_store_read(it, NULL, &r) == EXIT_DONE) {
        analysis *a = report_analysis_new(r);
        json_t *all = compare_report_json(a);
        candidate incumbent;
        if (compare_ledger_incumbent(it, &incumbent) == EXIT_DONE) {
            json_object_set_new(all, "reason", json_string(incumbent.reason));
            json_object_set_new(all, "spec", json_string(incumbent.spec));
            said = json_dumps(all, JSON_SORT_KEYS);
        }
        json_decref(all);
        report_analysis_free(a);
        compare_results_free(r);
    }
    compare_store_close(it);
    return said;
}

/* A sweep with a chosen rate, a run that failed, a look and a candidate. */
static void write_some_of_all(const char *file)
{
    static const double rates[] = {0.001, 0.01};
    static const candidate first = {
        .asked = "elu", .spec = "elu", .identity = "elu 88", .verdict = "incumbent"};
    store *it = NULL;
    char *none = NULL;
    CHECK_EQUAL(compare_store_open(file, true, &it), EXIT_DONE);
    results *r = ask(it, sweep_of("some of all", 2, 2, "a"), rates, 2, false);
    for (int i = 0; i < r->n_runs; i++) {
        measure(&r->runs[i], 1, 1);
        if (i == 1)
            CHECK(compare_run_fail(&r->runs[i], RUN_FAILED, "exit 3", "it did not end well",
                                   "last words"));
        CHECK_EQUAL(compare_store_end(it, &r->runs[i]), EXIT_DONE);
    }
    CHECK_EQUAL(compare_store_choose_rate(it, r, 0, 0.01), EXIT_DONE);
    CHECK_EQUAL(compare_store_look(it, r, "[{\"data\":\"glyphs\",\"model\":\"mlp\",\"rows\":{}}]"),
                EXIT_DONE);
    compare_results_free(r);
    CHECK_EQUAL(compare_ledger_settings(it, &none), EXIT_DONE);
    CHECK_EQUAL(compare_ledger_begin(it, "{}", &first), EXIT_DONE);
    compare_store_close(it);
}

/* Single bits from everywhere in a file: it is refused, or says what it said. */
static void flipped_bits_are_refused(void)
{
    char whole[80], copy[80], order[256];
    snprintf(whole, sizeof whole, "%s/whole.db", folder);
    snprintf(copy, sizeof copy, "%s/flipped.db", folder);
    write_some_of_all(whole);
    snprintf(order, sizeof order, "cp %s %s", whole, copy);
    CHECK_EQUAL(system(order), 0);
    char *right = said_by(whole);
    int fd = open(copy, O_RDWR), refused = 0;
    const off_t bits = 8 * lseek(fd, 0, SEEK_END);
    CHECK(right && bits > 0);
    for (off_t bit = 5; bit < bits; bit += bits / 1500) {
        unsigned char before, after;
        CHECK_EQUAL(pread(fd, &before, 1, bit / 8), 1);
        after = before ^ (unsigned char)(1 << bit % 8);
        CHECK_EQUAL(pwrite(fd, &after, 1, bit / 8), 1);
        char *said = said_by(copy);
        if (said && strcmp(said, right) != 0)
            printf("  byte %lld, 0x%02X in place of 0x%02X\n", (long long)bit / 8, after, before);
        CHECK(!said || strcmp(said, right) == 0);
        refused += !said;
        free(said);
        CHECK_EQUAL(pwrite(fd, &before, 1, bit / 8), 1);
    }
    printf("  %d of 1,500 refused\n", refused);
    CHECK(refused > 100);
    free(right);
    close(fd);
}

/* A file of the first version, less columns as if their figures had come later. */
static void files_of_before_gain_columns(void)
{
    static char sql[1 << 14];
    char old[80];
    sqlite3 *db;
    store *it = NULL;
    results *r;
    FILE *from = fopen(HILLOCK_TESTS_DIR "/results_0.1.sql", "r");
    CHECK(from && fread(sql, 1, sizeof sql - 1, from) > 0);
    fclose(from);
    snprintf(old, sizeof old, "%s/old.db", folder);
    CHECK_EQUAL(sqlite3_open(old, &db), SQLITE_OK);
    CHECK_EQUAL(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    for (int i = 0; i < 3; i++) {
        CHECK_EQUAL(compare_store_open(old, i == 2, &it), EXIT_DONE);
        CHECK_EQUAL(compare_store_read(it, NULL, &r), EXIT_DONE);
        CHECK_EQUAL(r->n_runs, 2);
        CHECK_TEXT(r->rows[0].specs[AXIS_DOCTOR], "none");
        CHECK_TEXT(r->rows[0].specs[AXIS_WEIGHT_NORM], "none");
        const layer_record *layer = &r->runs[1].epochs[0].layers[0];
        CHECK_NEAR(layer->mean, 0.20031615160405635833, 0);
        CHECK_EQUAL(layer->histogram[0], 8);
        CHECK(isnan(layer->dead)); /* its "dead" is what it was: never above 0 */
        CHECK(i == 2 || layer->never_positive >= 0);
        CHECK(i == 0 ? layer->gradient_dead == 0 : isnan(layer->gradient_dead));
        CHECK(i == 0 ? r->runs[1].peak_mib == 8.2890625 : isnan(r->runs[1].peak_mib));
        if (i == 2) { /* a writer adds what is missing */
            r->runs[1].peak_mib = 7;
            CHECK_EQUAL(
                sqlite3_exec(db, "DELETE FROM layers; DELETE FROM epochs", NULL, NULL, NULL),
                SQLITE_OK);
            CHECK_EQUAL(compare_store_end(it, &r->runs[1]), EXIT_DONE);
        }
        compare_results_free(r);
        compare_store_close(it);
        if (i == 0)
            CHECK_EQUAL(sqlite3_exec(db,
                                     "ALTER TABLE layers DROP COLUMN gradient_dead;"
                                     "ALTER TABLE runs DROP COLUMN peak_mib",
                                     NULL, NULL, NULL),
                        SQLITE_OK);
    }
    CHECK_EQUAL(compare_store_open(old, false, &it), EXIT_DONE);
    CHECK_EQUAL(compare_store_read(it, NULL, &r), EXIT_DONE);
    CHECK_NEAR(r->runs[1].peak_mib, 7, 0);
    CHECK_EQUAL(sqlite3_exec(
                    db, /* rows are told apart by their treatments, too */
                    "INSERT INTO rows (sweep, data, model, activation, normalization, initializer, "
                    "treatment, optimizer, plugin_digests, data_digest, parameters, "
                    "multiply_adds, is_baseline) SELECT sweep, data, model, activation, "
                    "normalization, initializer, 'redo', optimizer, plugin_digests, "
                    "data_digest, 0, 0, 0 FROM rows; PRAGMA foreign_key_check",
                    NULL, NULL, NULL),
                SQLITE_OK);
    CHECK(isnan(r->runs[0].peak_mib));
    compare_results_free(r);
    compare_store_close(it);
    sqlite3_close(db);
}

/* ---- Size ---------------------------------------------------------------------------------------- */

static void many_runs_are_read_whole(void)
{
    store *it = open_store();
    results *r = ask(it, sweep_of("many", 100, 100, "a"), NULL, 0, false);
    CHECK_EQUAL(r->n_runs, 10000);
    for (int i = 0; i < r->n_runs; i += 200) {
        measure(&r->runs[i], 2, 2);
        CHECK_EQUAL(compare_store_end(it, &r->runs[i]), EXIT_DONE);
    }
    compare_results_free(r);
    const double begin = now();
    CHECK_EQUAL(compare_store_read(it, "many", &r), EXIT_DONE);
    printf("  10,000 runs read in %.3f s\n", now() - begin);
    CHECK_EQUAL(r->n_runs, 10000);
    CHECK_EQUAL(r->runs[9800].n_epochs, 2);
    CHECK_EQUAL(r->runs[9801].n_epochs, 0);
    json_t *text = compare_canonical_json(r);
    CHECK_EQUAL(json_array_size(json_object_get(text, "runs")), 10000);
    json_decref(text);
    compare_results_free(r);
    compare_store_close(it);
}

static void one_coordinator_at_a_time(void)
{
    store *first = open_store(), *second = NULL, *reader = NULL;
    CHECK_EQUAL(compare_store_open(path, true, &second), EXIT_IO);
    CHECK(second == NULL);
    CHECK_EQUAL(compare_store_open(path, false, &reader), EXIT_DONE);
    compare_store_close(reader);
    compare_store_close(first);
    CHECK_EQUAL(compare_store_open(path, true, &second), EXIT_DONE);
    compare_store_close(second);
}

int main(void)
{
    char order[64];
    if (!mkdtemp(folder))
        return 1;
    snprintf(path, sizeof path, "%s/results.db", folder);
    RUN(asking_twice_plans_once);
    RUN(other_digests_are_other_rows);
    RUN(who_ran_before_is_kept);
    RUN(other_settings_are_refused);
    RUN(figures_come_back);
    RUN(failures_stay_and_can_be_retried);
    RUN(what_a_dead_coordinator_left_is_planned_again);
    RUN(rates_are_chosen_once);
    RUN(damaged_files_are_refused_untouched);
    RUN(flipped_bits_are_refused);
    RUN(files_of_before_gain_columns);
    RUN(many_runs_are_read_whole);
    RUN(one_coordinator_at_a_time);
    snprintf(order, sizeof order, "rm -r %s", folder);
    return check_result() || system(order) != 0;
}
