/* The coordinator's side of workers: hears reports, keeps deadlines, and finds a class for every
 * end. It sleeps in one ppoll(): each worker has its channel there and a handle that tells of its
 * end, since the channel alone would not: something else may hold it open. */
#include "workers/pool.h"

#include "output.h"
#include "options.h"
#include "workers/process.h"
#include "compare/message.h"
#include "workers/frame.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const double grace = 0.5; /* seconds between SIGTERM and SIGKILL */

typedef struct worker {
    bool busy; /* the rest means something */
    int64_t id;
    process process;
    int channel;
    bool deaf; /* nothing more will come through the channel */
    frame_reader incoming;
    const char *answer; /* the type of report that is to be its last */
    const char *fault;  /* what was wrong with a report, or NULL */
    json_t *result, *failed;
    double deadline; /* of the next signal; monotonic seconds */
    bool asked;      /* to end: it is late */
    bool ended;
    int status; /* once it has ended */
    double peak_mib;
} worker;

struct pool {
    pool_limits limits;
    int running, turn;      /* turn: whose report comes first, so that none must wait for long */
    worker *workers;        /* [jobs] */
    struct pollfd *awaited; /* [2 jobs]: channel and handle of each */
    json_t *told;           /* the message of the last event */
    char failure[64], reason[1024], last_lines[2049];
};

/* ---- Starting -------------------------------------------------------------------------------- */

pool *worker_pool_new(const pool_limits *limits)
{
    const size_t jobs = limits->jobs > 0 ? (size_t)limits->jobs : 1;
    pool *it = calloc(1, sizeof *it);
    if (it) {
        it->limits = *limits;
        it->limits.jobs = (int)jobs;
        it->workers = calloc(jobs, sizeof *it->workers);
        it->awaited = calloc(2 * jobs, sizeof *it->awaited);
    }
    if (it && it->workers && it->awaited)
        return it;
    worker_pool_free(it);
    tool_fail(EXIT_FAILED, "out of memory for %zu workers", jobs);
    return NULL;
}

bool worker_pool_has_room(const pool *it)
{
    return it->running < it->limits.jobs;
}

int worker_pool_running(const pool *it)
{
    return it->running;
}

static int64_t memory_of(const pool *it)
{
    return it->limits.memory_mib > 0 ? it->limits.memory_mib : 4096;
}

static int start_process(pool *it, worker *w, int channel)
{
    static const char *const words[] = {"hillock", "worker", NULL};
    const int threads = it->limits.threads > 0 ? it->limits.threads : 1;
    const double deadline = it->limits.deadline > 0 ? it->limits.deadline : 1e8;
    char setting[32];
    snprintf(setting, sizeof setting, "OMP_NUM_THREADS=%d", threads);
    w->deadline = it->limits.deadline > 0 ? hk_now() + deadline : (double)INFINITY;
    return worker_process_start(
        &w->process, &(process_orders){
                         .program = it->limits.program,
                         .words = words,
                         .settings = (const char *const[]){setting, "OMP_DYNAMIC=false", NULL},
                         .channel = channel,
                         .memory_mib = memory_of(it),
                         .cpu_seconds = 60 + (int64_t)(deadline * (threads + 1)),
                     });
}

/* The request waits in the channel before the worker is there to read it. */
static const char *open_channel(const json_t *request, int ends[2])
{
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
        return strerror(errno);
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    if (worker_frame_send(ends[0], request))
        return NULL;
    close(ends[0]), close(ends[1]);
    return "the request is too long, or memory is lacking";
}

static const char *answer_to(const json_t *request)
{
    return json_object_get(request, "images") ? "description"
           : json_object_get(request, "list") ? "list"
                                              : "result";
}

int worker_pool_start(pool *it, int64_t id, const json_t *request)
{
    int ends[2], error = 0;
    worker *w = it->workers;
    if (!worker_pool_has_room(it))
        return tool_fail(EXIT_FAILED, "%d workers are running already", it->running);
    while (w->busy)
        w++;
    *w = (worker){.id = id, .answer = answer_to(request)};
    const char *fault = open_channel(request, ends);
    if (!fault) {
        error = start_process(it, w, ends[1]);
        close(ends[1]);
        fault = error ? strerror(error) : NULL;
        w->channel = ends[0];
        w->busy = !error;
        it->running += w->busy;
    }
    if (error)
        close(ends[0]);
    return fault ? tool_fail(EXIT_FAILED, "a worker cannot be started: %s", fault) : EXIT_DONE;
}

/* ---- Hearing --------------------------------------------------------------------------------- */

static bool is_type(const json_t *report, const char *type)
{
    return strcmp(json_string_value(json_object_get(report, "type")), type) == 0;
}

/* The next report for the caller; keeps what says how the worker ends. */
static json_t *hear(worker *w)
{
    json_t *report;
    while (!w->fault && (report = worker_frame_take(&w->incoming, &w->fault))) {
        w->fault = w->result || w->failed ? "it went on behind its last report"
                                          : compare_message_fault(report);
        if (!w->fault && (is_type(report, "progress") || is_type(report, "epoch")))
            return report;
        if (!w->fault && is_type(report, w->answer))
            w->result = report;
        else if (!w->fault && is_type(report, "failed"))
            w->failed = report;
        else
            json_decref(report), w->fault = w->fault ? w->fault : "it answered another question";
    }
    if (w->fault && !w->deaf) {
        w->deaf = true;
        if (!w->ended)
            worker_process_kill(&w->process);
    }
    return NULL;
}

/* What came before the end; not for ever, should a stray process go on writing. */
static void read_rest(worker *w)
{
    for (size_t before = SIZE_MAX; !w->deaf && before != w->incoming.used;) {
        before = w->incoming.used;
        w->deaf = !worker_frame_read(&w->incoming, w->channel) ||
                  w->incoming.used > 2 * (size_t)FRAME_MOST;
    }
    w->deaf = true;
}

static void keep_deadline(worker *w)
{
    if (w->ended || hk_now() < w->deadline)
        return;
    if (w->asked)
        worker_process_kill(&w->process);
    else
        kill(-w->process.pid, SIGTERM);
    w->deadline = w->asked ? (double)INFINITY : hk_now() + grace;
    w->asked = true;
}

/* ---- Ends ------------------------------------------------------------------------------------ */

__attribute__((format(printf, 4, 5))) static pool_event
fails(pool *it, pool_event_kind kind, const char *failure, const char *reason, ...)
{
    va_list arguments;
    va_start(arguments, reason);
    snprintf(it->failure, sizeof it->failure, "%s", failure);
    vsnprintf(it->reason, sizeof it->reason, reason, arguments);
    va_end(arguments);
    return (pool_event){.kind = kind, .failure = it->failure, .reason = it->reason};
}

static const char *text_of(const json_t *report, const char *name)
{
    return json_string_value(json_object_get(report, name));
}

/* An allocation that was refused and not looked at ends as one of these. */
static bool lacked_memory(const pool *it, const worker *w)
{
    const int number = WTERMSIG(w->status);
    const bool usual = number == SIGSEGV || number == SIGBUS || number == SIGABRT;
    return usual && w->peak_mib > 0.75 * (double)memory_of(it);
}

static pool_event died(pool *it, const worker *w)
{
    char failure[32];
    const int number = WTERMSIG(w->status);
    const char *name = sigabbrev_np(number);
    if (lacked_memory(it, w))
        return fails(it, POOL_FAILED, "memory", "it took more than %" PRId64 " MiB of memory",
                     memory_of(it));
    if (name)
        snprintf(failure, sizeof failure, "signal SIG%s", name);
    else
        snprintf(failure, sizeof failure, "signal %d", number);
    return fails(it, POOL_FAILED, failure, "it was ended by a signal (%s)", strsignal(number));
}

static pool_event exited(pool *it, worker *w)
{
    char failure[32];
    const int status = WEXITSTATUS(w->status);
    if (status == EXIT_DONE && w->result) {
        it->told = w->result;
        w->result = NULL;
        return (pool_event){.kind = POOL_OK, .message = it->told};
    }
    if (status == EXIT_DONE)
        return fails(it, POOL_FAILED, "contract", "it ended as if all were well, without a result");
    snprintf(failure, sizeof failure, "exit %d", status);
    return fails(it, POOL_FAILED, failure, "it ended with exit status %d", status);
}

static pool_event conclude(pool *it, worker *w)
{
    pool_event event = w->fault ? fails(it, POOL_FAILED, "contract", "%s", w->fault)
                       : w->asked
                           ? fails(it, POOL_TIMEOUT, "timeout",
                                   "it ran for more than %g s and was ended", it->limits.deadline)
                       : w->failed ? fails(it, POOL_FAILED, text_of(w->failed, "failure"), "%s",
                                           text_of(w->failed, "reason"))
                       : WIFSIGNALED(w->status) ? died(it, w)
                                                : exited(it, w);
    event.id = w->id;
    worker_process_last_words(&w->process, it->last_lines, sizeof it->last_lines);
    event.last_lines = it->last_lines;
    return event;
}

/* Ends it first, should it not have ended. */
static void discard(pool *it, worker *w)
{
    if (!w->ended)
        worker_process_end(&w->process, NULL);
    worker_process_clear(&w->process);
    close(w->channel);
    worker_frame_reader_clear(&w->incoming);
    json_decref(w->result);
    json_decref(w->failed);
    w->busy = false;
    it->running--;
}

void worker_pool_free(pool *it)
{
    if (!it)
        return;
    for (int i = 0; it->workers && i < it->limits.jobs; i++)
        if (it->workers[i].busy && !it->workers[i].ended)
            worker_process_kill(&it->workers[i].process); /* all, before waiting for one */
    for (int i = 0; it->workers && i < it->limits.jobs; i++)
        if (it->workers[i].busy)
            discard(it, &it->workers[i]);
    json_decref(it->told);
    free(it->workers);
    free(it->awaited);
    free(it);
}

/* ---- The next event -------------------------------------------------------------------------- */

static bool look_at(pool *it, worker *w, pool_event *out)
{
    json_t *report = hear(w);
    if (report) {
        it->told = report;
        *out = (pool_event){.kind = is_type(report, "epoch") ? POOL_EPOCH : POOL_PROGRESS,
                            .id = w->id,
                            .message = report};
        return true;
    }
    keep_deadline(w);
    if (!w->ended)
        return false;
    *out = conclude(it, w);
    discard(it, w);
    return true;
}

static double next_deadline(const pool *it, double until)
{
    for (int i = 0; i < it->limits.jobs; i++)
        if (it->workers[i].busy)
            until = fmin(until, it->workers[i].deadline);
    return until;
}

/* Asleep until one of the descriptors, the time or a signal. The signals that interrupt are let in
 * only while asleep: one that came after the last look would be slept over. */
static void sleep_until(pool *it, double until)
{
    sigset_t ours, usual;
    sigemptyset(&ours);
    sigaddset(&ours, SIGINT);
    sigaddset(&ours, SIGTERM);
    sigprocmask(SIG_BLOCK, &ours, &usual);
    double left = tool_progress_interrupted() ? 0 : fmax(0, fmin(until - hk_now(), 1e6));
    const struct timespec time = {(time_t)left, (long)(1e9 * (left - floor(left)))};
    if (ppoll(it->awaited, (nfds_t)(2 * it->limits.jobs), &time, &usual) < 0)
        memset(it->awaited, 0, 2 * (size_t)it->limits.jobs * sizeof *it->awaited);
    sigprocmask(SIG_SETMASK, &usual, NULL);
}

static void wait_for_workers(pool *it, double until)
{
    for (int i = 0; i < it->limits.jobs; i++) {
        const worker *w = &it->workers[i];
        it->awaited[2 * i] = (struct pollfd){w->busy && !w->deaf ? w->channel : -1, POLLIN, 0};
        it->awaited[2 * i + 1] = (struct pollfd){w->busy ? w->process.handle : -1, POLLIN, 0};
    }
    sleep_until(it, next_deadline(it, until));
    for (int i = 0; i < it->limits.jobs; i++) {
        worker *w = &it->workers[i];
        if (it->awaited[2 * i].revents)
            w->deaf = !worker_frame_read(&w->incoming, w->channel);
        if (it->awaited[2 * i + 1].revents) {
            w->status = worker_process_end(&w->process, &w->peak_mib);
            w->ended = true;
            read_rest(w);
        }
    }
}

pool_event worker_pool_next(pool *it, double seconds)
{
    const double until = hk_now() + seconds;
    json_decref(it->told);
    it->told = NULL;
    for (bool waited = false;; waited = true) {
        for (int i = 0; i < it->limits.jobs; i++) {
            pool_event event;
            worker *w = &it->workers[(it->turn + i) % it->limits.jobs];
            if (w->busy && look_at(it, w, &event)) {
                it->turn = (int)(w - it->workers + 1) % it->limits.jobs;
                return event;
            }
        }
        if (waited && (hk_now() >= until || tool_progress_interrupted()))
            return (pool_event){.kind = POOL_NOTHING};
        wait_for_workers(it, until);
    }
}
