/* hillock merge: the results of parts of a sweep, each from a file of its own, in one file. What they
 * found decides: a run that two files know is taken once, and where they part it is said so. */
#include "options.h"
#include "output.h"
#include "compare/plan.h"
#include "compare/store.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

typedef struct merging {
    const char *from, *into; /* files */
    store *source, *target;
    results *added, *found; /* a sweep of the source; what the target has of it */
    int *place;             /* of each row of the source among the target's */
    int at;                 /* run of the target behind the last that was found */
    int64_t taken, there, apart;
    json_t *told; /* NULL: in plain lines */
} merging;

static bool same_text(const char *a, const char *b)
{
    return strcmp(a ? a : "", b ? b : "") == 0;
}

static bool same_row(const row_record *a, const row_record *b)
{
    bool same = same_text(a->plugin_digests, b->plugin_digests) &&
                same_text(a->data_digest, b->data_digest);
    for (int i = 0; i < AXES; i++)
        same = same && same_text(a->specs[i], b->specs[i]);
    return same;
}

static int find_row(const results *in, const row_record *row)
{
    int i = 0;
    while (i < in->n_rows && !same_row(&in->rows[i], row))
        i++;
    return i;
}

/* ---- Planning -------------------------------------------------------------------------------- */

/* The rates that the tuning runs of both try. */
static int add_rates(const results *r, double *rates, int n)
{
    for (int i = 0; i < r->n_runs; i++) {
        int k = 0;
        while (k < n && rates[k] != r->runs[i].rate)
            k++;
        if (r->runs[i].tuning && k == n && n < MAX_RATES)
            rates[n++] = r->runs[i].rate;
    }
    return n;
}

/* Rows and seeds of both, those that the target has first. The texts stay their owners'. */
static int plan_union(merging *m)
{
    const results *old = m->found, *add = m->added;
    double rates[MAX_RATES];
    results asked = *add;
    asked.rows = calloc((size_t)(add->n_rows + (old ? old->n_rows : 0)), sizeof *asked.rows);
    if (!asked.rows)
        return tool_no_memory();
    asked.n_rows = old ? old->n_rows : 0;
    for (int i = 0; i < asked.n_rows; i++)
        asked.rows[i] = old->rows[i];
    for (int i = 0; i < add->n_rows; i++) {
        m->place[i] = find_row(&asked, &add->rows[i]);
        if (m->place[i] == asked.n_rows)
            asked.rows[asked.n_rows++] = add->rows[i];
    }
    if (old) {
        asked.command = old->command;
        asked.seeds = old->seeds > add->seeds ? old->seeds : add->seeds;
        asked.most = old->most > add->most ? old->most : add->most;
    }
    store_plan how = {.asked = &asked, .rates = rates};
    how.n_rates = add_rates(add, rates, old ? add_rates(old, rates, 0) : 0);
    const int status = compare_store_plan(m->target, &how);
    free(asked.rows);
    return status;
}

/* ---- Taking ---------------------------------------------------------------------------------- */

/* Both files have their runs in the same order: the next one is near the last. */
static run_record *find_run(merging *m, const run_record *run)
{
    for (int i = 0; i < m->found->n_runs; i++) {
        run_record *one = &m->found->runs[(m->at + i) % m->found->n_runs];
        if (one->row == m->place[run->row] && one->seed == run->seed &&
            one->tuning == run->tuning && (!run->tuning || one->rate == run->rate)) {
            m->at = (int)(one - m->found->runs) + 1;
            return one;
        }
    }
    return NULL;
}

/* At the same rate to the same weights. */
static bool same_result(const run_record *a, const run_record *b)
{
    return same_text(a->digest, b->digest) &&
           (a->rate == b->rate || (isnan(a->rate) && isnan(b->rate)));
}

static void tell_apart(merging *m, const run_record *run, const run_record *there)
{
    const row_record *row = &m->added->rows[run->row];
    tool_note(
        "%s: %s, %s, %s, seed %lld: its weights have digest %.12s, those in %s, which stay, %.12s",
        m->from, row->specs[AXIS_DATA], row->specs[AXIS_MODEL], row->specs[AXIS_ACT],
        (long long)run->seed, run->digest, m->into, there->digest);
    m->apart++;
}

/* A result is better than none and than a failure; of two results the first stays. */
static int take_run(merging *m, const run_record *run)
{
    if (!compare_run_has_ended(run))
        return EXIT_DONE;
    run_record *to = find_run(m, run);
    if (!to)
        return tool_fail(EXIT_FAILED, "%s: seed %lld has no place in %s", m->from,
                         (long long)run->seed, m->into);
    if (compare_run_has_ended(to) && (to->state == RUN_OK || run->state != RUN_OK)) {
        if (run->state == RUN_OK && !same_result(run, to))
            tell_apart(m, run, to);
        else
            m->there++;
        return EXIT_DONE;
    }
    run_record moved = *run;
    moved.id = to->id;
    m->taken++;
    return compare_store_take(m->target, &moved);
}

/* The rate that the source's tuning runs chose, where the target's did not yet. */
static int take_rate(merging *m, int row)
{
    const double rate = m->added->rows[row].rate;
    row_record *to = &m->found->rows[m->place[row]];
    if (!isfinite(rate) || isfinite(to->rate))
        return EXIT_DONE;
    to->rate = rate;
    return compare_store_choose_rate(m->target, m->found, m->place[row], rate);
}

static int take_all(merging *m)
{
    int status = EXIT_DONE;
    for (int i = 0; i < m->added->n_rows && !status; i++)
        status = take_rate(m, i);
    for (int i = 0; i < m->added->n_runs && !status; i++)
        status = take_run(m, &m->added->runs[i]);
    for (int i = 0; i < m->added->n_looks && !status; i++) {
        const results at = {.name = m->added->name, .seeds = m->added->looks[i].seeds};
        status = compare_store_look(m->target, &at, m->added->looks[i].verdicts);
    }
    return status;
}

static void tell(const merging *m)
{
    if (m->told) {
        json_array_append_new(
            m->told,
            json_pack("{s:o, s:o, s:I, s:I, s:I}", "file", tool_json_text(m->from), "name",
                      tool_json_text(m->added->name), "taken", (json_int_t)m->taken,
                      "there_already", (json_int_t)m->there, "in_conflict", (json_int_t)m->apart));
        return;
    }
    tool_put_text(stdout, m->from);
    fputs(": ", stdout);
    tool_put_text(stdout, m->added->name);
    printf(", %s taken, %s there already, %s in conflict\n", tool_counted(m->taken, "run"),
           tool_grouped(m->there), tool_grouped(m->apart));
}

/* ---- Sweeps and files ------------------------------------------------------------------------ */

static bool has_sweep(const json_t *sweeps, const char *name)
{
    size_t i;
    json_t *one;
    bool has = false;
    json_array_foreach(sweeps, i, one)
    {
        has = has || same_text(json_string_value(json_object_get(one, "name")), name);
    }
    return has;
}

static int merge_sweep(merging *m, const char *name)
{
    json_t *sweeps = NULL;
    int status = compare_store_read(m->source, name, &m->added);
    m->taken = m->there = m->apart = m->at = 0;
    if (!status)
        status = compare_store_list(m->target, &sweeps);
    const bool has = !status && has_sweep(sweeps, name);
    json_decref(status ? NULL : sweeps);
    if (has)
        status = compare_store_read(m->target, name, &m->found);
    if (!status && !(m->place = calloc((size_t)m->added->n_rows + 1, sizeof *m->place)))
        status = tool_no_memory();
    if (!status)
        status = plan_union(m);
    compare_results_free(m->found);
    m->found = NULL;
    if (!status)
        status = compare_store_read(m->target, name, &m->found);
    if (!status)
        status = take_all(m);
    if (!status)
        tell(m);
    compare_results_free(m->added);
    compare_results_free(m->found);
    free(m->place);
    m->added = m->found = NULL;
    m->place = NULL;
    return status;
}

static bool is_one_file(const char *a, const char *b)
{
    struct stat p, q;
    return stat(a, &p) == 0 && stat(b, &q) == 0 && p.st_dev == q.st_dev && p.st_ino == q.st_ino;
}

/* Its sweeps, the oldest first, or that of this name. */
static int merge_file(merging *m, const char *only, int64_t *apart)
{
    json_t *sweeps = NULL;
    if (is_one_file(m->from, m->into))
        return tool_fail(EXIT_USAGE, "merge: %s is where the results go; name it by --db alone",
                         m->from);
    int status = compare_store_open(m->from, false, &m->source);
    if (!status && only) {
        status = merge_sweep(m, only);
        *apart += m->apart;
    } else if (!status) {
        status = compare_store_list(m->source, &sweeps);
    }
    for (size_t i = status || only ? 0 : json_array_size(sweeps); i-- > 0 && !status;) {
        status =
            merge_sweep(m, json_string_value(json_object_get(json_array_get(sweeps, i), "name")));
        *apart += m->apart;
    }
    compare_store_close(m->source);
    json_decref(sweeps);
    return status;
}

int compare_merge_command(options *given)
{
    merging m = {.into = given->db ? given->db : STORE_DEFAULT_FILE,
                 .told = given->json ? json_array() : NULL};
    int64_t apart = 0;
    int status = compare_store_open(m.into, true, &m.target);
    for (int i = 0; i < given->n_operands && !status; i++) {
        m.from = given->operands[i];
        status = merge_file(&m, given->name, &apart);
    }
    compare_store_close(m.target);
    if (!status && given->json)
        status = tool_json_print(
            json_pack("{s:o, s:O}", "db", tool_json_text(m.into), "merged", m.told));
    json_decref(m.told);
    if (!status && apart)
        return tool_fail(EXIT_BAD_DATA,
                         "merge: %lld runs differ between files; in %s the first stands",
                         (long long)apart, m.into);
    return status;
}
