/* hillock/team.h - a batch in parts, and processes that compute them together.
 *
 * A batch of n samples is cut into P parts, part p having the samples from n p / P to n (p + 1) / P,
 * rounded down. Every sum over samples is taken part by part, and the parts are added along one binary
 * tree: so the bits of a training depend on P, and neither on threads nor on the number of processes that share
 * the parts. P and the number of processes are powers of two. */
#pragma once
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Processes, numbered from 0, that train the same net, each with the same options and data, each with its
 * share of the parts. What connects them is the program's. */
typedef struct hk_team {
    int rank, ranks; /* the number of this process, and how many there are */
    /* Sends out_bytes to the process `partner` and receives in_bytes from it, which calls with the numbers
     * exchanged at the same point of its own sequence of calls. Called by one thread at a time, that which
     * trains or another. NULL: done; else a sentence that says what failed, which ends the training with HK_IO. It
     * decides how long it waits for a partner. */
    const char *(*exchange)(void *user, int partner, const void *out, size_t out_bytes, void *in,
                            size_t in_bytes);
    void *user;
} hk_team;

#ifdef __cplusplus
}
#endif
