/* graph/plan.h - a plan: steps in order, all their pointers fixed. plan.c makes it, run.c runs it. */
#pragma once
#include "graph/parts.h"

/* One operation, forward and backward. Where `add_to[i]` is set, another path has already
 * written that gradient: backward writes to dx[i] and the plan adds it. */
typedef struct hki_step {
    hki_call call;
    int place; /* of its tensor among all computed ones of the net, fused or not */
    bool has_backward;
    const struct hki_step *source; /* makes input 0 as it is read; NULL: it is stored */
    bool streamed;                 /* another step's source: never run by itself */
    const struct hki_step *begins; /* whose backward begins in this one's; or NULL */
    bool begun;                    /* in another step's backward */
    bool once; /* nothing of it belongs to a sample: it is not computed part by part */
    size_t saved_bytes, scratch_bytes, back_bytes,
        statistics_bytes; /* of a part, one behind the other */
    size_t gathers;       /* numbers of a part, at most */
    void *packed;         /* NULL: this step packs nothing */
    void *back_scratch;   /* scratch of the backward call; call.scratch is the forward one's */
    float *add_to[HKI_MAX_INPUTS];
    hk_tensor *learned[HKI_MAX_INPUTS]; /* input i is a leaf with its own gradient buffer */
    bool is_first[HKI_MAX_INPUTS];      /* the first to write that gradient */
} hki_step;

struct hk_step_info;

/* Called after each step, forward or backward, with the seconds it took: for probes of layers and for
 * profiles. */
typedef void hki_watch(void *user, const hki_call *call, bool back, double seconds);

struct hk_plan {
    hk_net *net;
    int n_tensors; /* of the net when the plan was made: the plan does not know those recorded later */
    int64_t batch, last_n; /* room for; samples of the last forward, 0: none yet; of all parts */
    hki_parts parts;
    bool training, own_statistics;
    bool has_forward; /* the values of the last forward are there: backward overwrites them */
    const hk_tensor *loss;
    uint64_t step; /* committed steps: the clock of all random numbers */
    hki_step *steps;
    int n_steps;
    hk_tensor **fused;           /* by tensor id: what stands in its place; NULL mostly */
    float **values, **gradients; /* by tensor id; NULL where nothing can be read */
    float *loss_gradient;
    bool *reached;           /* by tensor id: a gradient of the loss reaches it */
    char *arena;             /* what storages, statistics and packed leaves share */
    int64_t bytes;           /* of it */
    uint64_t packed_version; /* of the net's values that were packed */
    double *numbers;     /* what parts gather: see hki_parts_join(); NULL: nothing is gathered */
    float *leaf_scratch; /* for gradients that are added; made when first needed */
    int64_t leaf_scratch_count;
    hki_watch *watch;
    void *watcher;
    void (*profile)(const struct hk_step_info *, void *user); /* what a profile hands on to */
    void *profile_user;
};

/* The clock of random numbers, for resuming. */
void hki_plan_set_step(hk_plan *plan, uint64_t step);
void hki_plan_watch(hk_plan *plan, hki_watch *watch, void *watcher); /* NULL: none */
