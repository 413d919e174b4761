/* Files of results. The input's lines change a whole one, made here: a letter for the column, a
 * digit for the run or row, and the new value. It has no seals then, as files of before them, or it would
 * only be refused. What can be read can be reported in every form. */
#include "folder.h"

#include "compare/report/formats.h"
#include "compare/store.h"
#include <sqlite3.h>

static char whole[64], changed[64];

static const char *const columns[][2] = {
    {"sweeps", "settings"},   {"sweeps", "seeds"},        {"sweeps", "epochs"},
    {"sweeps", "provenance"}, {"rows", "model"},          {"rows", "activation"},
    {"rows", "optimizer"},    {"rows", "plugin_digests"}, {"rows", "place"},
    {"rows", "rate"},         {"rows", "parameters"},     {"rows", "is_baseline"},
    {"runs", "row"},          {"runs", "seed"},           {"runs", "tuning"},
    {"runs", "rate"},         {"runs", "state"},          {"runs", "attempts"},
    {"runs", "reason"},       {"runs", "test_accuracy"},  {"runs", "seconds"},
    {"runs", "peak_mib"},     {"epochs", "epoch"},        {"epochs", "loss"},
    {"epochs", "accuracy"},   {"epochs", "seconds"},      {"layers", "epoch"},
    {"layers", "layer"},      {"layers", "units"},        {"layers", "dead"},
    {"layers", "mean"},       {"layers", "low"},          {"layers", "high"},
    {"layers", "histogram"}};

/* Epochs and layers of a run that ended well. */
static void measure(run_record *run)
{
    run->state = RUN_OK;
    run->test_accuracy = 0.5 + 0.01 * (double)run->id;
    strcpy(run->digest, "d19e57");
    for (int e = 0; e < 2; e++) {
        epoch_record *epoch = compare_run_add_epoch(run);
        layer_record *layer = compare_epoch_add_layer(epoch);
        epoch->epoch = e + 1;
        epoch->loss = epoch->accuracy = 0.5 / (e + 1);
        strcpy(layer->layer, "fc1");
        layer->units = 4;
        memset(layer->histogram, 0, sizeof layer->histogram);
        layer->low = 0;
        layer->dead = layer->mean = layer->high = 0.25;
        layer->histogram[e] = 128;
    }
}

static void plan(store *it)
{
    static const char *const acts[] = {"relu", "tanh", "mish"};
    results *asked = calloc(1, sizeof *asked), *r;
    REQUIRE(asked);
    *asked = (results){.name = strdup("one"),
                       .command = strdup(""),
                       .provenance = strdup("{}"),
                       .settings = strdup("{\"epochs\":2}"),
                       .seeds = 2,
                       .epochs = 2};
    for (int i = 0; i < 3; i++) {
        row_record *row = compare_results_add_row(asked);
        const char *const specs[AXES] = {"glyphs",    "mlp",  acts[i], "none",
                                         "he_normal", "none", "none",  "adam"};
        for (int a = 0; a < AXES; a++)
            row->specs[a] = strdup(specs[a]);
        row->plugin_digests = strdup("relu 77"), row->data_digest = strdup("");
        row->is_baseline = i == 0;
    }
    REQUIRE(!compare_store_plan(it, &(store_plan){.asked = asked}) &&
            !compare_store_read(it, NULL, &r));
    for (int i = 0; i < r->n_runs; i++) {
        measure(&r->runs[i]);
        REQUIRE(!compare_store_start(it, r->runs[i].id) && !compare_store_end(it, &r->runs[i]));
    }
    compare_results_free(asked);
    compare_results_free(r);
}

static void make_whole(void)
{
    store *it;
    make_folder();
    snprintf(whole, sizeof whole, "%s/whole", folder);
    snprintf(changed, sizeof changed, "%s/changed", folder);
    REQUIRE(compare_store_open(whole, true, &it) == 0);
    plan(it);
    compare_store_close(it);
    fuzz_quietly();
}

static void change(sqlite3 *db, const char *line)
{
    char sql[128];
    sqlite3_stmt *update;
    enum { COLUMNS = sizeof columns / sizeof *columns };
    const char *const *column = columns[(unsigned char)line[0] % COLUMNS];
    if (!line[0] || line[1] < '0' || line[1] > '9')
        return;
    snprintf(sql, sizeof sql, "UPDATE OR IGNORE %s SET %s = ?1 WHERE %s %% 10 = %c", column[0],
             column[1], strchr("el", column[0][0]) ? "run" : "id", line[1]);
    REQUIRE(sqlite3_prepare_v2(db, sql, -1, &update, NULL) == SQLITE_OK);
    sqlite3_bind_text(update, 1, line + 2, -1, SQLITE_STATIC);
    sqlite3_step(update); /* a constraint may refuse it */
    sqlite3_finalize(update);
}

static void copy_whole(void)
{
    static char bytes[1 << 18];
    FILE *from = fopen(whole, "rb"), *to = fopen(changed, "wb");
    REQUIRE(from && to);
    const size_t size = fread(bytes, 1, sizeof bytes, from);
    REQUIRE(feof(from) && fwrite(bytes, 1, size, to) == size && fclose(to) == 0);
    fclose(from);
}

static void write_changed(char *text)
{
    sqlite3 *db;
    copy_whole();
    REQUIRE(sqlite3_open(changed, &db) == SQLITE_OK);
    sqlite3_exec(db, "PRAGMA ignore_check_constraints = 1; PRAGMA synchronous = OFF; BEGIN", NULL,
                 NULL, NULL);
    for (char *line; (line = strsep(&text, "\n"));)
        change(db, line);
    static const char unseal[] = "UPDATE sweeps SET seal = NULL; UPDATE rows SET seal = NULL; "
                                 "UPDATE runs SET seal = NULL";
    REQUIRE(sqlite3_exec(db, unseal, NULL, NULL, NULL) == SQLITE_OK);
    REQUIRE(sqlite3_exec(db, "COMMIT", NULL, NULL, NULL) == SQLITE_OK);
    sqlite3_close(db);
}

static void report(const results *found)
{
    char *text;
    size_t size;
    FILE *to = open_memstream(&text, &size);
    analysis *a = report_analysis_new(found);
    REQUIRE(to && a);
    report_html(to, a), report_markdown(to, a), report_csv(to, a);
    json_decref(compare_report_json(a));
    json_decref(compare_canonical_json(found));
    REQUIRE(fclose(to) == 0 && size > 0);
    free(text);
    report_analysis_free(a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    store *it;
    results *found;
    if (!*whole)
        make_whole();
    char *text = fuzz_text(data, size);
    write_changed(text);
    free(text);
    REQUIRE(compare_store_open(changed, false, &it) == 0);
    if (compare_store_read(it, NULL, &found) == 0)
        report(found);
    compare_results_free(found);
    compare_store_close(it);
    return 0;
}
