/* Speaking with other processes, and the thread that does it beside the backward pass.
 *
 * Gradients travel in bundles: where a message takes 200 us on its way, those of the many small tensors would
 * cost more than all the rest. A bundle is full, or sent by hki_ranks_wait(), at the same point in every process.
 *
 * Long vectors: at distance 1, 2, 4, ... each of two processes gives away half of what it has and adds the
 * other's to the half it keeps, then the halves travel back: 2 (1 - 1 / ranks) of the vector each way, the
 * least there is (Rabenseifner 2004, "Optimization of collective reduction operations"), and each element is
 * added along the binary tree of ranks. Short rows, whose cost is the number of messages, travel whole. */
#include "graph/ranks.h"

#include <pthread.h>
#include <string.h>

typedef struct piece {
    float *sum;
    int64_t n;
} piece;

enum { WAITING = 16 }; /* requests that wait at most: who has one more waits, too */

typedef struct bundle {
    piece pieces[HKI_BUNDLE_PIECES];
    int count; /* 0: the request is a row of numbers */
    int64_t floats;
} bundle;

typedef struct request {
    bundle gradients;
    const hki_joining *joining;
    double *numbers, *other;
} request;

struct hki_ranks {
    hk_team of;
    request requests[WAITING]; /* a ring: [first, first + n) */
    int first, n;              /* the one being served counts */
    bundle next;               /* not yet sent */
    bool stop;
    char failure[512]; /* "": none */
    float *room;       /* for a bundle in one piece, and for what comes in */
    int64_t room_floats;
    pthread_mutex_t mutex;
    pthread_cond_t change;
    pthread_t thread;
    bool has_thread;
};

void hki_join_two(const hki_joining *joining, double *own, const double *later)
{
    if (joining->join) {
        joining->join(joining->tensor, own, later);
        return;
    }
    for (size_t i = 0; i < joining->n; i++)
        own[i] += later[i];
}

/* False where that fails: nothing more is exchanged. */
static bool exchange(hki_ranks *ranks, int partner, const void *out, size_t out_bytes, void *in,
                     size_t in_bytes)
{
    const char *reason = ranks->of.exchange(ranks->of.user, partner, out, out_bytes, in, in_bytes);
    if (!reason)
        return true;
    pthread_mutex_lock(&ranks->mutex);
    hki_say(&(hki_text){.at = ranks->failure, .size = sizeof ranks->failure},
            "process %d of %d lost process %d: %s", ranks->of.rank, ranks->of.ranks, partner,
            reason);
    pthread_mutex_unlock(&ranks->mutex);
    return false;
}

/* ---- Rows of numbers ------------------------------------------------------------------------------- */

static bool join_row(hki_ranks *ranks, const request *r)
{
    const size_t n = r->joining->n, bytes = n * sizeof *r->numbers;
    for (int apart = 1; apart < ranks->of.ranks; apart *= 2) {
        const bool later = ranks->of.rank & apart;
        if (!exchange(ranks, ranks->of.rank ^ apart, r->numbers, bytes, r->other, bytes))
            return false;
        hki_join_two(r->joining, later ? r->other : r->numbers, later ? r->numbers : r->other);
        if (later)
            memcpy(r->numbers, r->other, bytes);
    }
    return true;
}

/* ---- Vectors ------------------------------------------------------------------------------------------ */

/* The halves of [begin, end) that this process keeps and gives away at a distance. */
typedef struct halves {
    int64_t kept, kept_n, given, given_n;
} halves;

static halves halve(const hki_ranks *ranks, int apart, int64_t begin, int64_t end)
{
    const int64_t middle = begin + (end - begin) / 2;
    if (ranks->of.rank & apart)
        return (halves){middle, end - middle, begin, middle - begin};
    return (halves){begin, middle - begin, middle, end - middle};
}

static bool make_room(hki_ranks *ranks, int64_t floats)
{
    if (floats <= ranks->room_floats)
        return true;
    hki_free(ranks->room);
    ranks->room = hki_alloc_array((size_t)floats, sizeof *ranks->room);
    ranks->room_floats = ranks->room ? floats : 0;
    if (!ranks->room)
        memcpy(ranks->failure, "no memory for a sum", sizeof "no memory for a sum");
    return ranks->room;
}

/* x[n]; what comes in goes to in[n / 2 + 1]. */
static bool sum_vector(hki_ranks *ranks, float *x, int64_t n, float *in)
{
    halves steps[32];
    int n_steps = 0;
    int64_t begin = 0, end = n;
    for (int apart = 1; apart < ranks->of.ranks; apart *= 2) {
        const halves h = steps[n_steps++] = halve(ranks, apart, begin, end);
        if (!exchange(ranks, ranks->of.rank ^ apart, x + h.given, (size_t)h.given_n * sizeof *x, in,
                      (size_t)h.kept_n * sizeof *x))
            return false;
        for (int64_t i = 0; i < h.kept_n; i++)
            x[h.kept + i] += in[i];
        begin = h.kept;
        end = h.kept + h.kept_n;
    }
    while (n_steps > 0) { /* each has the sum of what it kept */
        const halves h = steps[--n_steps];
        if (!exchange(ranks, ranks->of.rank ^ (1 << n_steps), x + h.kept,
                      (size_t)h.kept_n * sizeof *x, x + h.given, (size_t)h.given_n * sizeof *x))
            return false;
    }
    return true;
}

static bool sum_bundle(hki_ranks *ranks, const bundle *b)
{
    if (!make_room(ranks, 2 * b->floats + 1))
        return false;
    float *at = ranks->room;
    for (int i = 0; i < b->count; at += b->pieces[i++].n)
        memcpy(at, b->pieces[i].sum, (size_t)b->pieces[i].n * sizeof *at);
    if (!sum_vector(ranks, ranks->room, b->floats, at))
        return false;
    at = ranks->room;
    for (int i = 0; i < b->count; at += b->pieces[i++].n)
        memcpy(b->pieces[i].sum, at, (size_t)b->pieces[i].n * sizeof *at);
    return true;
}

/* ---- The thread --------------------------------------------------------------------------------------- */

static void *serve(void *user)
{
    hki_ranks *ranks = user;
    pthread_mutex_lock(&ranks->mutex);
    for (;;) {
        while (!ranks->n && !ranks->stop)
            pthread_cond_wait(&ranks->change, &ranks->mutex);
        if (!ranks->n)
            break;
        const request r = ranks->requests[ranks->first];
        const bool failed = *ranks->failure;
        pthread_mutex_unlock(&ranks->mutex);
        if (!failed)
            r.gradients.count ? sum_bundle(ranks, &r.gradients) : join_row(ranks, &r);
        pthread_mutex_lock(&ranks->mutex);
        ranks->first = (ranks->first + 1) % WAITING;
        ranks->n--;
        pthread_cond_broadcast(&ranks->change);
    }
    pthread_mutex_unlock(&ranks->mutex);
    return NULL;
}

static void ask(hki_ranks *ranks, request r)
{
    pthread_mutex_lock(&ranks->mutex);
    while (ranks->n == WAITING)
        pthread_cond_wait(&ranks->change, &ranks->mutex);
    ranks->requests[(ranks->first + ranks->n++) % WAITING] = r;
    pthread_cond_broadcast(&ranks->change);
    pthread_mutex_unlock(&ranks->mutex);
}

static void send_bundle(hki_ranks *ranks)
{
    if (ranks->next.count)
        ask(ranks, (request){.gradients = ranks->next});
    ranks->next = (bundle){.count = 0};
}

static hk_status wait_for_all(hki_ranks *ranks)
{
    pthread_mutex_lock(&ranks->mutex);
    while (ranks->n)
        pthread_cond_wait(&ranks->change, &ranks->mutex);
    pthread_mutex_unlock(&ranks->mutex);
    return *ranks->failure ? hki_fail(HK_IO, "%s", ranks->failure) : HK_OK;
}

hk_status hki_ranks_wait(hki_ranks *ranks)
{
    send_bundle(ranks);
    return wait_for_all(ranks);
}

hk_status hki_ranks_join(hki_ranks *ranks, const hki_joining *joining, double *numbers,
                         double *other)
{
    const request r = {.joining = joining, .numbers = numbers, .other = other};
    pthread_mutex_lock(&ranks->mutex);
    const bool idle = !ranks->n && !*ranks->failure;
    pthread_mutex_unlock(&ranks->mutex);
    if (idle) /* waking the thread and being woken by it would take longer than many a message */
        join_row(ranks, &r);
    else
        ask(ranks, r);
    return wait_for_all(ranks);
}

void hki_ranks_sum(hki_ranks *ranks, float *sum, int64_t n)
{
    bundle *next = &ranks->next;
    next->pieces[next->count++] = (piece){sum, n};
    next->floats += n;
    if (next->floats >= HKI_BUNDLE_FLOATS || next->count == HKI_BUNDLE_PIECES)
        send_bundle(ranks);
}

hk_status hki_ranks_new(const hk_team *of, hki_ranks **out)
{
    hki_ranks *ranks = *out = hki_alloc(sizeof *ranks);
    if (!ranks)
        return HK_NO_MEMORY;
    ranks->of = *of;
    ranks->mutex = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
    ranks->change = (pthread_cond_t)PTHREAD_COND_INITIALIZER;
    ranks->has_thread = hki_thread_start(&ranks->thread, serve, ranks);
    if (ranks->has_thread)
        return HK_OK;
    hki_ranks_free(ranks);
    *out = NULL;
    return hki_fail(HK_NO_MEMORY, "a team: cannot create a thread");
}

void hki_ranks_free(hki_ranks *ranks)
{
    if (!ranks)
        return;
    if (ranks->has_thread) {
        pthread_mutex_lock(&ranks->mutex);
        ranks->stop = true;
        pthread_cond_broadcast(&ranks->change);
        pthread_mutex_unlock(&ranks->mutex);
        pthread_join(ranks->thread, NULL);
    }
    pthread_cond_destroy(&ranks->change);
    pthread_mutex_destroy(&ranks->mutex);
    hki_free(ranks->room);
    hki_free(ranks);
}
