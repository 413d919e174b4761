/* pool.h - jobs carried out by worker processes, several at a time.
 *
 * A worker is this program executed again, as process.h says: with limits on memory, files and
 * processor time, its output kept aside, and one socket, on which its request waits and on which it
 * reports, in frames (frame.h). A report is an object with a "type". A job is done when the worker
 * sent the report that answers it, and exited with status 0; a worker that knows why it cannot go on
 * sends {"type":"failed", failure, reason}. Whatever it does, it ends as one event. What it says it is
 * at, {"type":"stage", text}, "model deep was built", stands in the reason should it die of it.
 *
 * Classes of failure, beside those that workers send themselves:
 *   signal SIGSEGV, ...   the process died of it        exit 3, ...   it exited with that status
 *   timeout    ran beyond the deadline, or used up its processor time
 *   memory     asked for more than it may have
 *   contract   exited with status 0 but sent no result, or sent a malformed report
 *
 * What a worker starts ends with it, and both with the coordinator. */
#pragma once
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct pool pool;

typedef struct pool_limits {
    int jobs;        /* workers at a time */
    int threads;     /* OpenMP threads of each; 0: one per processor */
    double deadline; /* seconds of a job, without those for which others had the processors; 0: */
                     /* none; then SIGTERM to the whole group, half a second later SIGKILL to */
                     /* all that came of it */
    bool per_report; /* the deadline is of the time between two reports instead */
    int64_t
        cpu_seconds; /* processor time of a job; 0: what all its threads need until its deadline */
    int64_t memory_mib;  /* address space of a worker; 0: 4096 */
    const char *program; /* what to execute as a worker; NULL: this program. Must stay */
} pool_limits;

/* What a worker gets, and what it may report. Words and request are read in the call alone. */
typedef struct pool_job {
    const char *const *words;                   /* arguments, the program's name first, NULL last */
    const json_t *request;                      /* waits in the channel; NULL: none */
    const char *const *reports;                 /* types of reports on the way, NULL last */
    const char *answer;                         /* type of the last one */
    const char *(*fault)(const json_t *report); /* what is wrong with its form; NULL: nothing */
} pool_job;

typedef enum pool_event_kind {
    POOL_REPORT, /* message: a report on the way */
    POOL_OK,     /* message: the answer */
    POOL_FAILED, /* failure, reason, last_lines */
    POOL_TIMEOUT,
    POOL_NOTHING /* nothing in that time, or interrupted */
} pool_event_kind;

/* Texts and message are valid until the next call. */
typedef struct pool_event {
    pool_event_kind kind;
    int64_t id; /* as given to worker_pool_start */
    const json_t *message;
    const char *failure;    /* class, see above */
    const char *reason;     /* a sentence */
    const char *last_lines; /* at most 2 KiB of what it printed, escaped */
} pool_event;

/* How many processors this process may use, at least 1: jobs at a time where the user names none. */
int worker_processors(void);
/* NULL after a failure of memory, which is printed. */
pool *worker_pool_new(const pool_limits *limits);
/* Kills all workers and frees everything. */
void worker_pool_free(pool *it);
bool worker_pool_has_room(const pool *it);
int worker_pool_running(const pool *it);
/* Starts a worker on a job; 0, or the exit status after printing why. From the thread that lives as long as the
 * program: workers end when it does. */
int worker_pool_start(pool *it, int64_t id, const pool_job *job);
/* The next event, waiting at most `seconds`; asleep meanwhile, awake for every report, and for
 * SIGINT and SIGTERM once tool_progress_start() was called. */
pool_event worker_pool_next(pool *it, double seconds);
/* Whether a report is of this type. */
bool worker_report_is(const json_t *report, const char *type);
