/* pool.h - requests carried out by executed workers, several at a time.
 *
 * A worker is this program executed again (`hillock worker`, hidden) and kept as process.h says,
 * with a deadline, limits on memory, files and processor time, a fixed number of threads, no input,
 * its output kept aside, and one socket on which it reports. Whatever it does, it ends as one event.
 *
 * A request is a JSON object:
 *   data, model, act, norm, init, weight_norm, optimizer, schedule, augment   texts; absent: default
 *   plugins     [path...], files to load first
 *   epochs, batch, clip, smoothing, seed, threads                             numbers; absent: default
 *   rate        learning rate in place of the optimizer's own
 *   validation  share of the training data kept aside, drawn by `seed`
 *   probes, test   booleans: measure layers; evaluate the test set once, at the end
 *   images      [height, width, channels, classes]: only describes the row, on such images
 *   list, kind  a list of specs of a kind: only writes out the sets in it
 * and a worker reports, in this order:
 *   {"type":"progress", epoch, epochs, done, of, loss, images_per_s, seconds_left}, often
 *   {"type":"epoch", epoch, the figures of an epoch, layers:[{the figures of a layer}]}, once an epoch
 *   {"type":"result", the figures of a run}, once, at the end
 *    compare/figures.h has the figures; one that is not finite is null
 *   {"type":"description"} or {"type":"list"} instead, see describe.h
 *   {"type":"failed", failure, reason} instead, when it can say itself why it ends.
 * Success is one whole result and exit status 0.
 *
 * Classes of failure:
 *   signal SIGSEGV, ...   the process died of it        exit 3, ...   it ended with that status
 *   timeout    ran beyond the deadline                  memory     asked for more than it may have
 *   contract   ended well without a result, or reported what is no message
 *   diverged   the loss is not finite; the reason says where
 *   plugin     a plugin file cannot be used             data, io   a data set cannot be used, read
 *   shape, name, argument   the request asks for what does not fit, does not exist, or is wrong
 *
 * A worker's offspring ends with it, and both with the coordinator (process.h). */
#pragma once
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct pool pool;

typedef struct pool_limits {
    int jobs;            /* workers at a time */
    int threads;         /* OpenMP threads of each */
    double deadline;     /* seconds of a run, 0: none; then SIGTERM to the whole group, half a */
                         /* second later SIGKILL to all that came of it */
    int64_t memory_mib;  /* address space of a worker; 0: 4096 */
    const char *program; /* what to execute as a worker; NULL: this program. Must stay */
} pool_limits;

typedef enum pool_event_kind {
    POOL_PROGRESS, /* message: what the worker reported */
    POOL_EPOCH,
    POOL_OK,     /* message: the result */
    POOL_FAILED, /* failure, reason, last_lines */
    POOL_TIMEOUT,
    POOL_NOTHING /* waited in vain, or was interrupted */
} pool_event_kind;

/* Texts and message are valid until the next call. */
typedef struct pool_event {
    pool_event_kind kind;
    int64_t id; /* as given to pool_start */
    const json_t *message;
    const char *failure;    /* class, see above */
    const char *reason;     /* a sentence */
    const char *last_lines; /* at most 2 KiB of what it printed, escaped */
} pool_event;

/* NULL when memory or descriptors are lacking, told. */
pool *worker_pool_new(const pool_limits *limits);
/* Kills all workers and frees everything. */
void worker_pool_free(pool *it);
bool worker_pool_has_room(const pool *it);
int worker_pool_running(const pool *it);
/* Starts a worker on a request; 0 or the exit status, told. From the thread that lives as long as
 * the program: workers end when it does. */
int worker_pool_start(pool *it, int64_t id, const json_t *request);
/* The next event, waiting at most `seconds`; asleep meanwhile, awake for every report, and for
 * SIGINT and SIGTERM once tool_progress_interrupted() tells of them. */
pool_event worker_pool_next(pool *it, double seconds);
