/* graph/place.h - the buffers of a plan: how long each is needed, and where in one block it lies.
 *
 * Time runs 0 .. F-1 for the forward steps and F .. 2F-1 for the same steps backward. Every
 * buffer is an interval of time; buffers whose intervals do not overlap share memory. A tensor
 * may share the buffer of its input (views, work in place), so buffers are counted as storages:
 * value_of[id] and gradient_of[id] say which storage a tensor lives in. */
#pragma once
#include "graph/plan.h"

typedef struct hki_storage {
    size_t bytes, offset;
    int first, last; /* times of first write and last read */
} hki_storage;

enum { HKI_NOWHERE = -1 }; /* in place of the index of a storage */

/* What is known while a plan is made. */
typedef struct hki_planner {
    hk_net *net;
    const hk_plan_options *options;
    int64_t batch;               /* samples of this process */
    int64_t part_batch;          /* of one of its parts, at most */
    int parts;                   /* how many it has */
    int n_steps, end;            /* end: a time after every step */
    hk_tensor **order;           /* [n_steps] computed tensors; fused ones in place of theirs */
    hk_tensor **fused;           /* by tensor id; NULL: computed as it was recorded */
    int *uses;                   /* by tensor id: how many read it, one more if it is kept */
    bool *needed, *wants, *kept; /* by tensor id; parts of a fused one are not needed */
    bool *reached;               /* by tensor id: a gradient arrives there */
    bool *written;               /* by tensor id: its gradient, so far */
    int *step_of, *last_read;    /* by tensor id */
    int *value_of, *gradient_of; /* storage by tensor id */
    int *saved_of, *scratch_of, *back_scratch_of; /* storage by step */
    int *contribution_of;                         /* [n_steps * HKI_MAX_INPUTS] */
    int *streams_to; /* by step: the step that makes its result while it reads it, or HKI_NOWHERE */
    int *begun_by;   /* by step: the step whose backward begins its backward, or HKI_NOWHERE */
    hki_storage *storages;
    size_t n_storages, capacity;
} hki_planner;

/* Bytes that y keeps and needs for one part, in whole lines. */
typedef struct hki_work_bytes {
    size_t saved, scratch, back;
} hki_work_bytes;
hki_work_bytes hki_work_of(const hki_planner *p, const hk_tensor *y);

/* Nothing but results is wanted of the plan. */
bool hki_only_runs_forward(const hki_planner *p);

/* Whether backward of y can add to the gradient of its input i. */
bool hki_adds_to(const hk_tensor *y, int i);

/* Fills streams_to, begun_by, last_read, value_of, gradient_of, contribution_of, saved_of and the scratches, and gives
 * every storage its offset in a block of *bytes. HK_NO_MEMORY: with more than HKI_MAX_BYTES, too. */
hk_status hki_place(hki_planner *p, size_t *bytes);
