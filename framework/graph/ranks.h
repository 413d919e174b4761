/* graph/ranks.h - sums over the processes of a team. Gradients are exchanged by a thread of their own, so that
 * they travel while the backward pass goes on; what is waited for by whoever waits, unless that thread is busy.
 * Requests are served in order: the order is the plan's, the same in every process. */
#pragma once
#include "graph/graph.h"

/* How two rows of n numbers become one. */
typedef struct hki_joining {
    void (*join)(const hk_tensor *, double *own, const double *later); /* NULL: addition */
    const hk_tensor *tensor;
    size_t n;
} hki_joining;
void hki_join_two(const hki_joining *joining, double *own, const double *later);

/* A bundle of gradients is sent when it has so many of them, or floats. */
enum { HKI_BUNDLE_PIECES = 256, HKI_BUNDLE_FLOATS = 65536 };

typedef struct hki_ranks hki_ranks;
hk_status hki_ranks_new(const hk_team *of, hki_ranks **out);
void hki_ranks_free(hki_ranks *ranks); /* NULL is fine */

/* numbers[n] = those of all processes; `other` has room for n. Waits. HK_IO with a message. */
hk_status hki_ranks_join(hki_ranks *ranks, const hki_joining *joining, double *numbers,
                         double *other);
/* sum[n] = the sum over all processes, some time before hki_ranks_wait() returns. After a failure nothing
 * more is done. */
void hki_ranks_sum(hki_ranks *ranks, float *sum, int64_t n);
hk_status hki_ranks_wait(hki_ranks *ranks);
