/* hillock compare, the coordinator: what the command line asks for is planned in the file of
 * results, workers run what is not there yet, and the ranking says what was found. Whatever ends
 * this program, the same command goes on where it ended. */
#include "options.h"
#include "output.h"
#include "compare/figures.h"
#include "compare/live.h"
#include "compare/message.h"
#include "compare/plan.h"
#include "compare/report/formats.h"
#include "compare/store.h"

#include <math.h>
#include <stdlib.h>

typedef struct sweep {
    const options *given;
    const char *file;
    plan plan;
    store *db;
    results *found;
    run_record **order; /* in which runs are started */
    int first;          /* all before it have ended or are running */
    pool *workers;
    live *view;
} sweep;

static bool has_ended(const run_record *run)
{
    return run->state != RUN_PLANNED && run->state != RUN_RUNNING;
}

/* The better of two tuning runs; the first, with the lower rate, where nothing tells them apart. */
static const run_record *better(const run_record *a, const run_record *b)
{
    if (!a || a->state != RUN_OK || !a->n_epochs)
        return b->state == RUN_OK || !a ? b : a;
    if (b->state != RUN_OK || !b->n_epochs)
        return a;
    const double p = compare_last_score(a), q = compare_last_score(b);
    if (p != q)
        return q > p ? b : a;
    return b->epochs[b->n_epochs - 1].loss < a->epochs[a->n_epochs - 1].loss ? b : a;
}

/* A row whose tuning runs have all ended gets its rate. */
static int choose_rate(sweep *s, int row)
{
    const run_record *best = NULL;
    row_record *it = &s->found->rows[row];
    if (!s->plan.n_rates || isfinite(it->rate))
        return EXIT_DONE;
    for (int i = 0; i < s->found->n_runs; i++) {
        const run_record *run = &s->found->runs[i];
        if (run->row != row || !run->tuning)
            continue;
        if (!has_ended(run))
            return EXIT_DONE;
        best = better(best, run);
    }
    it->rate = best->rate;
    for (int i = 0; i < s->found->n_runs; i++)
        if (s->found->runs[i].row == row && !s->found->runs[i].tuning)
            s->found->runs[i].rate = best->rate;
    s->first = 0;
    return compare_store_choose_rate(s->db, s->found, row, best->rate);
}

/* ---- Preparing ------------------------------------------------------------------------------- */

/* Tuning first, then seed by seed: a sweep that is cut short has something of every row. */
static int by_turn(const void *a, const void *b)
{
    const run_record *p = *(run_record *const *)a, *q = *(run_record *const *)b;
    if (p->tuning != q->tuning)
        return q->tuning - p->tuning;
    if (p->seed != q->seed)
        return p->seed < q->seed ? -1 : 1;
    return p < q ? -1 : p > q;
}

/* Plans what is missing, and orders the runs. */
static int prepare(sweep *s)
{
    const store_plan asked = {s->plan.asked, s->plan.rates, s->plan.n_rates, s->given->retry};
    int status = compare_store_plan(s->db, &asked);
    s->first = 0;
    if (!status)
        status = compare_store_read(s->db, s->plan.asked->name, &s->found);
    const int n = status ? 0 : s->found->n_runs;
    if (!status && !(s->order = calloc((size_t)n, sizeof(*s->order))))
        status = tool_no_memory();
    for (int i = 0; i < n && !status; i++) {
        run_record *run = s->order[i] = &s->found->runs[i];
        const run_record *asking = &s->plan.rows[run->row].asking;
        if (run->state == RUN_PLANNED &&
            asking->failure) /* its plugin ended who asked what it is */
            status = compare_run_fail(run, asking->state, asking->failure, asking->reason,
                                      asking->last_lines)
                         ? compare_store_end(s->db, run)
                         : tool_no_memory();
    }
    if (!status)
        qsort(s->order, (size_t)n, sizeof(*s->order), by_turn);
    for (int i = 0; i < s->plan.asked->n_rows && !status; i++)
        status = choose_rate(s, i);
    return status;
}

/* ---- Running --------------------------------------------------------------------------------- */

static run_record *next_run(sweep *s)
{
    while (s->first < s->found->n_runs && s->order[s->first]->state != RUN_PLANNED)
        s->first++;
    for (int i = s->first; i < s->found->n_runs; i++) {
        run_record *run = s->order[i];
        const bool has_rate =
            run->tuning || !s->plan.n_rates || isfinite(s->found->rows[run->row].rate);
        if (run->state == RUN_PLANNED && has_rate)
            return run;
    }
    return NULL;
}

static int start(sweep *s, run_record *run)
{
    json_t *request = json_copy(s->plan.rows[run->row].request);
    if (!request)
        return tool_no_memory();
    json_object_set_new(request, "seed", json_integer(run->seed));
    json_object_set_new(request, "test", json_boolean(!run->tuning));
    if (isfinite(run->rate))
        json_object_set_new(request, "rate", json_real(run->rate));
    int status = compare_store_start(s->db, run->id);
    if (!status)
        status = compare_message_request(s->workers, run - s->found->runs, request);
    json_decref(request);
    run->state = RUN_RUNNING;
    run->attempts++;
    if (!status)
        compare_live_start(s->view, run);
    return status;
}

static int end(sweep *s, run_record *run)
{
    int status = compare_store_end(s->db, run);
    compare_live_end(s->view, run);
    return status ? status : choose_rate(s, run->row);
}

static int take_failure(sweep *s, run_record *run, const pool_event *event)
{
    if (compare_message_may_retry(run, event)) {
        while (run->n_epochs)
            compare_epoch_clear(&run->epochs[--run->n_epochs]);
        run->state = RUN_PLANNED;
        s->first = 0;
        compare_live_drop(s->view, run);
        return compare_store_release(s->db, run->id);
    }
    return compare_message_take_failure(run, event) ? end(s, run) : tool_no_memory();
}

static int take_event(sweep *s, const pool_event *event)
{
    run_record *run = &s->found->runs[event->id];
    switch (event->kind) {
    case POOL_REPORT:
        if (worker_report_is(event->message, "epoch"))
            return compare_message_take_epoch(run, event->message) ? EXIT_DONE : tool_no_memory();
        compare_live_progress(s->view, run, event->message);
        return EXIT_DONE;
    case POOL_OK: compare_message_take_result(run, event->message); return end(s, run);
    case POOL_FAILED:
    case POOL_TIMEOUT: return take_failure(s, run, event);
    default: compare_live_draw(s->view); return EXIT_DONE;
    }
}

static int run_all(sweep *s)
{
    int status = EXIT_DONE;
    run_record *run;
    while (!status && !tool_progress_interrupted()) {
        while (!status && worker_pool_has_room(s->workers) && (run = next_run(s)))
            status = start(s, run);
        if (!status && !worker_pool_running(s->workers))
            return EXIT_DONE;
        if (!status) {
            const pool_event event = worker_pool_next(s->workers, 1);
            status = take_event(s, &event);
        }
    }
    return status ? status : EXIT_INTERRUPTED;
}

static int run_sweep(sweep *s)
{
    const pool_limits limits = compare_plan_limits(s->given);
    int done = 0;
    for (int i = 0; i < s->found->n_runs; i++)
        done += has_ended(&s->found->runs[i]);
    tool_put_text(stderr, s->file);
    fputs(": ", stderr);
    tool_put_text(stderr, s->found->name);
    fprintf(stderr, ", %d runs, %d of them there already\n", s->found->n_runs, done);
    s->workers = worker_pool_new(&limits);
    if (!s->workers)
        return EXIT_FAILED;
    s->view = compare_live_new(s->found, limits.jobs);
    int status = s->view ? run_all(s) : tool_no_memory();
    compare_live_free(s->view);
    worker_pool_free(s->workers);
    if (status != EXIT_INTERRUPTED)
        return status;
    for (int i = 0, failed = 0; i < s->found->n_runs && !failed; i++)
        if (s->found->runs[i].state == RUN_RUNNING) /* else the next start sees to it */
            failed = compare_store_release(s->db, s->found->runs[i].id);
    return tool_fail(status, "compare: interrupted; the same command goes on from here");
}

/* Whether each row has failed or is better or worse than the baseline. */
static int find_decided(const sweep *s, bool *decided)
{
    analysis *of = report_analysis_new(s->found);
    *decided = of;
    for (const panel *p = of ? of->panels : NULL; of && p < of->panels + of->n_panels; p++)
        for (int i = 0; i < p->n_ranked; i++)
            *decided = *decided && (p->standings[i].verdict < VERDICT_NOT_SHOWN ||
                                    p->standings[i].why == UNTESTED_FAILED ||
                                    p->standings[i].why == UNTESTED_BASELINE_FAILED);
    report_analysis_free(of);
    return of ? EXIT_DONE : EXIT_FAILED;
}

/* As many seeds as were asked for; with --until-decided one more at a time, up to the most. */
static int run_seeds(sweep *s)
{
    bool decided = false;
    int status = EXIT_DONE;
    for (int64_t *seeds = &s->plan.asked->seeds; !status && !decided; ++*seeds) {
        free(s->order);
        compare_results_free(s->found);
        s->order = NULL;
        s->found = NULL;
        status = prepare(s);
        if (!status)
            status = run_sweep(s);
        decided = *seeds >= s->plan.asked->most; /* 0: fixed */
        if (!status && !decided)
            status = find_decided(s, &decided);
    }
    return status;
}

/* What is told now is kept: whoever adds seeds until a difference shows has looked more than once. */
static int keep_look(sweep *s, const analysis *of)
{
    json_t *seen = compare_look_json(of);
    char *verdicts = seen ? tool_json_written(seen, JSON_COMPACT) : NULL;
    int status = verdicts ? compare_store_look(s->db, s->found, verdicts) : tool_no_memory();
    json_decref(seen);
    free(verdicts);
    return status;
}

static int conclude(sweep *s)
{
    int failures = 0;
    analysis *of = s->given->canonical ? NULL : report_analysis_new(s->found);
    const int kept = of ? keep_look(s, of) : EXIT_DONE;
    if (s->given->canonical) {
        tool_json_print(compare_canonical_json(s->found));
    } else if (!of) {
        return EXIT_FAILED;
    } else if (s->given->json) {
        tool_json_print(compare_report_json(of));
    } else {
        report_ranking_print(of);
        printf("\nhillock report --db ");
        tool_put_word(stdout, s->file);
        fputs(" --name ", stdout);
        tool_put_word(stdout, s->found->name);
        puts(" writes curves, layers, costs and every run into a page");
    }
    report_analysis_free(of);
    for (int i = 0; i < s->found->n_runs; i++)
        failures += !s->found->runs[i].tuning && s->found->runs[i].state != RUN_OK;
    return kept ? kept : failures ? EXIT_SOME_RUNS : EXIT_DONE;
}

int compare_command(options *given)
{
    sweep s = {.given = given, .file = given->db ? given->db : STORE_DEFAULT_FILE};
    if (given->canonical && !given->json)
        return tool_fail(EXIT_USAGE, "compare: --canonical needs --json");
    if (given->most && !given->until_decided)
        return tool_fail(EXIT_USAGE, "compare: --most needs --until-decided");
    tool_progress_start();
    int status = compare_plan_make(given, &s.plan);
    if (!status)
        status = compare_store_open(s.file, true, &s.db);
    if (!status)
        status = run_seeds(&s);
    if (!status)
        status = conclude(&s);
    compare_store_close(s.db);
    free(s.order);
    compare_results_free(s.found);
    compare_plan_clear(&s.plan);
    return status;
}
