/* graph/fuse.h - what a plan asks of fusion: that one step does the work of several operations.
 * The graph knows no operation: ops/fused defines hki_fuser. */
#pragma once
#include "graph/graph.h"

enum { HKI_MAX_FUSED = 4 }; /* operations in one step */

extern const struct hki_fuser {
    /* A tensor that computes `last` and what leads up to it, and has its id: allocated, freed by
     * hki_free(). Only results that nothing else reads take part: uses[id] counts readers.
     * `backward`: what backward reads is saved; `spends_dy`: backward may overwrite dy. *out is
     * NULL where nothing can be fused. HK_NO_MEMORY. */
    hk_status (*fuse)(hk_tensor *last, const int *uses, bool backward, bool spends_dy,
                      hk_tensor **out);
    /* The recorded tensors that a fused one stands for, in the order of recording: how many, 0 for
     * any other tensor. */
    int (*parts)(const hk_tensor *tensor, const hk_tensor *parts[HKI_MAX_FUSED]);
} hki_fuser;
