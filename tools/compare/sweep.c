/* What is planned in the file of results is run by workers, what is not there yet alone. Whatever ends
 * this program, the same plan goes on where it ended. */
#include "compare/sweep.h"
#include "output.h"
#include "compare/figures.h"
#include "compare/message.h"

#include <math.h>
#include <stdlib.h>

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
        if (!compare_run_has_ended(run))
            return EXIT_DONE;
        best = better(best, run);
    }
    if (!best) /* the row is another part's */
        return EXIT_DONE;
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
    const store_plan asked = {.asked = s->plan.asked,
                              .rates = s->plan.rates,
                              .n_rates = s->plan.n_rates,
                              .retry = s->given->retry,
                              .part = s->plan.part,
                              .parts = s->plan.parts};
    free(s->order);
    compare_results_free(s->found);
    s->order = NULL;
    s->found = NULL;
    s->first = 0;
    int status = compare_store_plan(s->db, &asked);
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

enum { MOST_EPOCHS = 10000 }; /* that a worker may report where a recipe decides */

static int take_event(sweep *s, const pool_event *event)
{
    run_record *run = &s->found->runs[event->id];
    const int64_t most = s->given->epochs ? s->given->epochs : MOST_EPOCHS;
    switch (event->kind) {
    case POOL_REPORT:
        if (worker_report_is(event->message, "epoch"))
            return compare_message_take_epoch(run, most, event->message) ? EXIT_DONE
                                                                         : tool_no_memory();
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

int compare_sweep_run(sweep *s)
{
    const pool_limits limits = compare_plan_limits(s->given);
    int done = 0, status = prepare(s);
    if (status)
        return status;
    for (int i = 0; i < s->found->n_runs; i++)
        done += compare_run_has_ended(&s->found->runs[i]);
    tool_put_text(stderr, s->file);
    fputs(": ", stderr);
    tool_put_text(stderr, s->found->name);
    fprintf(stderr, ", %d runs, %d of them there already\n", s->found->n_runs, done);
    s->workers = worker_pool_new(&limits);
    if (!s->workers)
        return EXIT_FAILED;
    s->view = compare_live_new(s->found, limits.jobs);
    status = s->view ? run_all(s) : tool_no_memory();
    compare_live_free(s->view);
    worker_pool_free(s->workers);
    if (status != EXIT_INTERRUPTED)
        return status;
    for (int i = 0, failed = 0; i < s->found->n_runs && !failed; i++)
        if (s->found->runs[i].state == RUN_RUNNING) /* else the next start sees to it */
            failed = compare_store_release(s->db, s->found->runs[i].id);
    return tool_fail(status, "interrupted; the same command goes on from here");
}

void compare_sweep_clear(sweep *s)
{
    free(s->order);
    compare_results_free(s->found);
    compare_plan_clear(&s->plan);
}
