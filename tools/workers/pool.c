/* The coordinator's side of workers: takes reports, enforces limits, and gives every end its class.
 * It sleeps in one ppoll(): each worker has its channel there and a handle that tells of its end,
 * since the channel alone would not: something else may hold it open. */
#include "workers/pool.h"
#include "output.h"
#include "options.h"
#include "workers/frame.h"
#include "workers/process.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <poll.h>
#include <sched.h>
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
    pool_job job; /* without words and request */
    process process;
    int channel;
    bool closed; /* nothing more will come through the channel */
    frame_reader incoming;
    const char *fault; /* what was wrong with a report, or NULL */
    json_t *answer, *failed;
    char stage[160]; /* what it is at; "": nothing in particular */
    double deadline; /* of the next signal; monotonic seconds */
    double waited;   /* for a processor, as far as the deadline takes it into account */
    bool late;       /* SIGTERM was sent */
    bool ended;
    int status; /* once it has ended */
    double peak_mib;
} worker;

struct pool {
    pool_limits limits;
    int running, turn;      /* turn: whose report comes first, so that none must wait for long */
    worker *workers;        /* [jobs] */
    struct pollfd *awaited; /* [2 jobs]: channel and handle of each */
    json_t *message;        /* of the last event */
    char failure[64], reason[1024], last_lines[2049];
};

/* ---- Starting -------------------------------------------------------------------------------- */

int worker_processors(void)
{
    cpu_set_t set;
    return sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
}

pool *worker_pool_new(const pool_limits *limits)
{
    pool *it = calloc(1, sizeof *it);
    if (it) {
        pool_limits *l = &it->limits;
        *l = *limits;
        l->jobs = l->jobs > 0 ? l->jobs : 1;
        l->memory_mib = l->memory_mib > 0 ? l->memory_mib : 4096;
        l->deadline = l->deadline > 0 ? l->deadline : (double)INFINITY;
        if (!l->cpu_seconds)
            l->cpu_seconds = 60 + (int64_t)(fmin(l->deadline, 1e8) * (l->threads + 1));
        it->workers = calloc((size_t)l->jobs, sizeof *it->workers);
        it->awaited = calloc(2 * (size_t)l->jobs, sizeof *it->awaited);
    }
    if (it && it->workers && it->awaited)
        return it;
    worker_pool_free(it);
    tool_fail(EXIT_FAILED, "out of memory for %d workers", limits->jobs);
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

static int start_process(const pool *it, process *p, const char *const *words, int channel)
{
    char threads[32];
    const char *const settings[] = {threads, "OMP_DYNAMIC=false", NULL};
    snprintf(threads, sizeof threads, "OMP_NUM_THREADS=%d", it->limits.threads);
    return worker_process_start(p, &(process_options){
                                       .program = it->limits.program,
                                       .words = words,
                                       .settings = it->limits.threads > 0 ? settings : NULL,
                                       .channel = channel,
                                       .memory_mib = it->limits.memory_mib,
                                       .cpu_seconds = it->limits.cpu_seconds,
                                   });
}

/* The request waits in the channel before the worker is there to read it. */
int worker_pool_start(pool *it, int64_t id, const pool_job *job)
{
    int ends[2], error = 0;
    worker *w = it->workers;
    if (!worker_pool_has_room(it))
        return tool_fail(EXIT_FAILED, "%d workers are running already", it->running);
    while (w->busy)
        w++;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
        return tool_fail(EXIT_FAILED, "a worker cannot be started: %s", strerror(errno));
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    *w = (worker){
        .id = id, .job = *job, .channel = ends[0], .deadline = hk_now() + it->limits.deadline};
    const bool sent = !job->request || worker_frame_send(ends[0], job->request);
    if (sent)
        error = start_process(it, &w->process, job->words, ends[1]);
    w->busy = sent && !error;
    it->running += w->busy;
    close(ends[1]);
    if (w->busy)
        return EXIT_DONE;
    close(ends[0]);
    return tool_fail(EXIT_FAILED, "a worker cannot be started: %s",
                     sent ? strerror(error) : "the request is too long, or memory is lacking");
}

/* ---- Reports --------------------------------------------------------------------------------- */

bool worker_report_is(const json_t *report, const char *type)
{
    const char *found = json_string_value(json_object_get(report, "type"));
    return found && strcmp(found, type) == 0;
}

/* True for {"type":"stage", text}, which is kept. */
static bool take_stage(worker *w, json_t *report)
{
    const char *text = json_string_value(json_object_get(report, "text"));
    if (!worker_report_is(report, "stage") || !text)
        return false;
    snprintf(w->stage, sizeof w->stage, "%s", text);
    json_decref(report);
    return true;
}

/* The next report for the caller; keeps what says how the worker ends. */
static json_t *next_report(const pool *it, worker *w)
{
    json_t *report;
    const char *const *type;
    while (!w->fault && (report = worker_frame_take(&w->incoming, &w->fault))) {
        if (take_stage(w, report))
            continue;
        w->fault = w->answer || w->failed ? "malformed report: it comes after the last one"
                                          : w->job.fault(report);
        if (it->limits.per_report && !w->late)
            w->deadline = hk_now() + it->limits.deadline;
        for (type = w->job.reports; *type && !worker_report_is(report, *type);)
            type++;
        if (!w->fault && *type)
            return report;
        if (!w->fault && worker_report_is(report, w->job.answer))
            w->answer = report;
        else if (!w->fault && worker_report_is(report, "failed"))
            w->failed = report;
        else {
            json_decref(report);
            w->fault = w->fault ? w->fault : "malformed report: it answers another request";
        }
    }
    if (w->fault && !w->closed) {
        w->closed = true;
        if (!w->ended)
            worker_process_kill(&w->process);
    }
    return NULL;
}

/* What came before the end; not for ever, should a stray process go on writing. */
static void read_rest(worker *w)
{
    for (size_t before = SIZE_MAX; !w->closed && before != w->incoming.used;) {
        before = w->incoming.used;
        w->closed = !worker_frame_read(&w->incoming, w->channel) ||
                    w->incoming.used > 2 * (size_t)FRAME_MOST;
    }
    w->closed = true;
}

static void enforce_deadline(worker *w)
{
    static const double little = 0.05; /* not worth another look */
    /* What others had the processors for is not the worker's time: that much later is its deadline. */
    while (!w->ended && !w->late && hk_now() >= w->deadline) {
        const double more = worker_process_waited(&w->process) - w->waited;
        if (more < little)
            break;
        w->deadline += more;
        w->waited += more;
    }
    if (w->ended || hk_now() < w->deadline)
        return;
    if (w->late) { /* ends in any case: the supervisor has a limit of its own */
        w->status = worker_process_end(&w->process, &w->peak_mib);
        w->ended = true;
        read_rest(w);
        return;
    }
    kill(-w->process.pid, SIGTERM);
    w->deadline = hk_now() + grace;
    w->late = true;
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

static pool_event died(pool *it, const worker *w)
{
    char failure[32];
    const pool_limits *most = &it->limits;
    const int number = WTERMSIG(w->status);
    const char *name = sigabbrev_np(number);
    /* an allocation that was refused and not looked at ends as one of these */
    const bool refused = number == SIGSEGV || number == SIGBUS || number == SIGABRT;
    if (refused && w->peak_mib > 0.75 * (double)most->memory_mib)
        return fails(it, POOL_FAILED, "memory",
                     "the process took more than %" PRId64 " MiB of memory", most->memory_mib);
    if (number == SIGXCPU)
        return fails(it, POOL_TIMEOUT, "timeout",
                     "the process took more than %" PRId64 " s of processor time",
                     most->cpu_seconds);
    if (name)
        snprintf(failure, sizeof failure, "signal SIG%s", name);
    else
        snprintf(failure, sizeof failure, "signal %d", number);
    return fails(it, POOL_FAILED, failure, "the process was ended by a signal (%s)",
                 strsignal(number));
}

static pool_event exited(pool *it, worker *w)
{
    char failure[32];
    const int status = WEXITSTATUS(w->status);
    if (status == EXIT_DONE && w->answer) {
        it->message = w->answer;
        w->answer = NULL;
        return (pool_event){.kind = POOL_OK, .message = it->message};
    }
    if (status == EXIT_DONE)
        return fails(it, POOL_FAILED, "contract",
                     "the process exited with status 0 but sent no result");
    snprintf(failure, sizeof failure, "exit %d", status);
    return fails(it, POOL_FAILED, failure, "the process exited with status %d", status);
}

static pool_event conclude(pool *it, worker *w)
{
    pool_event event =
        w->fault  ? fails(it, POOL_FAILED, "contract", "%s", w->fault)
        : w->late ? fails(it, POOL_TIMEOUT, "timeout",
                          "the process ran for more than %g s and was ended", it->limits.deadline)
        : w->failed
            ? fails(it, POOL_FAILED, json_string_value(json_object_get(w->failed, "failure")), "%s",
                    json_string_value(json_object_get(w->failed, "reason")))
        : WIFSIGNALED(w->status) ? died(it, w)
                                 : exited(it, w);
    if (*w->stage && event.reason == it->reason && !w->fault && !w->failed) {
        const size_t used = strlen(it->reason);
        snprintf(it->reason + used, sizeof it->reason - used, " while %s", w->stage);
    }
    event.id = w->id;
    worker_process_last_lines(&w->process, it->last_lines, sizeof it->last_lines);
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
    json_decref(w->answer);
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
    json_decref(it->message);
    free(it->workers);
    free(it->awaited);
    free(it);
}

/* ---- The next event -------------------------------------------------------------------------- */

static bool take_event(pool *it, worker *w, pool_event *out)
{
    if ((it->message = next_report(it, w))) {
        *out = (pool_event){.kind = POOL_REPORT, .id = w->id, .message = it->message};
        return true;
    }
    enforce_deadline(w);
    if (!w->ended)
        return false;
    *out = conclude(it, w);
    discard(it, w);
    return true;
}

enum { LONGEST_SLEEP = 1 }; /* seconds */

/* Asleep until one of the descriptors, the time or a signal. The signals that interrupt are let in
 * only while asleep: one that came after the last look would be slept over. */
static void wait_for_workers(pool *it, double until)
{
    sigset_t ours, usual;
    for (int i = 0; i < it->limits.jobs; i++) {
        const worker *w = &it->workers[i];
        it->awaited[2 * i] = (struct pollfd){w->busy && !w->closed ? w->channel : -1, POLLIN, 0};
        it->awaited[2 * i + 1] = (struct pollfd){w->busy ? w->process.handle : -1, POLLIN, 0};
        until = w->busy ? fmin(until, w->deadline) : until;
    }
    sigemptyset(&ours);
    sigaddset(&ours, SIGINT);
    sigaddset(&ours, SIGTERM);
    sigprocmask(SIG_BLOCK, &ours, &usual);
    double left = tool_progress_interrupted() ? 0 : fmax(0, fmin(until - hk_now(), 1e6));
    left = fmin(left, LONGEST_SLEEP);
    const struct timespec time = {(time_t)left, (long)(1e9 * (left - floor(left)))};
    const double start = hk_now();
    if (ppoll(it->awaited, (nfds_t)(2 * it->limits.jobs), &time, &usual) < 0)
        memset(it->awaited, 0, 2 * (size_t)it->limits.jobs * sizeof *it->awaited);
    sigprocmask(SIG_SETMASK, &usual, NULL);
    const double overslept =
        hk_now() - start - left; /* stopped, or the whole machine: workers, too */
    for (int i = 0; i < it->limits.jobs; i++) {
        worker *w = &it->workers[i];
        w->deadline += overslept > LONGEST_SLEEP ? overslept : 0;
        if (it->awaited[2 * i].revents)
            w->closed = !worker_frame_read(&w->incoming, w->channel);
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
    json_decref(it->message);
    it->message = NULL;
    for (bool waited = false;; waited = true) {
        for (int i = 0; i < it->limits.jobs; i++) {
            pool_event event;
            worker *w = &it->workers[(it->turn + i) % it->limits.jobs];
            if (w->busy && take_event(it, w, &event)) {
                it->turn = (int)(w - it->workers + 1) % it->limits.jobs;
                return event;
            }
        }
        if (waited && (hk_now() >= until || tool_progress_interrupted()))
            return (pool_event){.kind = POOL_NOTHING};
        wait_for_workers(it, until);
    }
}
