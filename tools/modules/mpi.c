/* Processes connected by MPI: compiled once for each MPI that there is, since its programs are bound to one.
 * Standard: MPI Forum 2021, "MPI: A Message-Passing Interface Standard 4.0". */
#include "modules/team.h"

#include <mpi.h>
#include <stdio.h>
#include <time.h>

static double longest_wait;

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* MPI counts in int: larger messages go in pieces. Posts those of one direction, at most MOST. */
enum { PIECE = 1 << 30, MOST = 64 };
typedef int post(void *at, int count, int partner, MPI_Request *request);

static int post_send(void *at, int count, int partner, MPI_Request *request)
{
    return MPI_Isend(at, count, MPI_BYTE, partner, 0, MPI_COMM_WORLD, request);
}

static int post_receive(void *at, int count, int partner, MPI_Request *request)
{
    return MPI_Irecv(at, count, MPI_BYTE, partner, 0, MPI_COMM_WORLD, request);
}

static int post_all(post *one, void *first, size_t bytes, int partner, MPI_Request *requests,
                    int *n)
{
    for (size_t done = 0; done < bytes; done += PIECE) {
        const size_t left = bytes - done;
        if (*n == MOST)
            return MPI_ERR_COUNT;
        const int failed = one((char *)first + done, (int)(left < PIECE ? left : PIECE), partner,
                               &requests[(*n)++]);
        if (failed)
            return failed;
    }
    return MPI_SUCCESS;
}

/* What to do between two looks: the processor is wanted by the backward pass, but most answers are there
 * within some microseconds. */
static void pause_after(int looks)
{
    if (looks > 300)
        nanosleep(&(struct timespec){.tv_nsec = 20000}, NULL);
}

static const char *exchange(void *user, int partner, const void *out, size_t out_bytes, void *in,
                            size_t in_bytes)
{
    MPI_Request requests[MOST];
    MPI_Status ends[MOST]; /* a header of MPICH has gcc warn of MPI_STATUSES_IGNORE */
    int n = 0, done = 0;
    (void)user;
    if (post_all(post_receive, in, in_bytes, partner, requests, &n) ||
        post_all(post_send, (void *)out, out_bytes, partner, requests, &n))
        return "MPI refused the message";
    const double until = now() + longest_wait;
    for (int looks = 0; !done; looks++) {
        if (MPI_Testall(n, requests, &done, ends))
            return "MPI could not deliver the message";
        if (!done && now() > until) {
            static char sentence[64];
            snprintf(sentence, sizeof sentence, "no answer for %.0f s", longest_wait);
            return sentence;
        }
        pause_after(looks);
    }
    return NULL;
}

static const char *open_team(hk_team *team, double wait)
{
    int provided, rank, ranks;
    longest_wait = wait;
    if (MPI_Init_thread(NULL, NULL, MPI_THREAD_SERIALIZED, &provided) ||
        MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN) ||
        MPI_Comm_rank(MPI_COMM_WORLD, &rank) || MPI_Comm_size(MPI_COMM_WORLD, &ranks))
        return "MPI does not start";
    if (provided < MPI_THREAD_SERIALIZED)
        return "this MPI does not let a thread of the program's speak for it (MPI_THREAD_SERIALIZED)";
    *team = (hk_team){.rank = rank, .ranks = ranks, .exchange = exchange};
    return NULL;
}

static void close_team(int status)
{
    if (status) {
        /* What was said is on its way through the launcher, which the abort ends. */
        nanosleep(&(struct timespec){.tv_nsec = 300000000}, NULL);
        MPI_Abort(MPI_COMM_WORLD, status);
    }
    MPI_Finalize();
}

const team_entry hillock_team = {.version = TEAM_VERSION, .open = open_team, .close = close_team};
