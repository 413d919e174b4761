/* train/optimizer.h - an optimizer's insides, for saving and for reports. */
#pragma once
#include "graph/graph.h"
#include "io/io.h"
#include "train/train.h"

/* A run of a learned tensor's elements: what a thread takes. Their size alone cuts tensors. */
typedef struct hki_slice {
    hk_tensor *tensor;
    int64_t first, n, moment; /* moment: where its moments start */
} hki_slice;

struct hk_optimizer {
    hk_net *net;
    hki_rule rule;
    int n_tensors;     /* of the net when it was made: those recorded later are not its own */
    int64_t step;      /* steps taken */
    hki_slice *slices; /* of all learned tensors */
    double *squares;   /* [n_slices], sums of squared gradients */
    bool measures;     /* the next steps also fill `moved` */
    double *moved;     /* [n_slices], sums of squared changes in a step */
    int64_t n_slices;
    float *moments[2]; /* each [parameters], tensors one after the other in recording order */
};

/* Learned tensors were recorded since it was made: it moves them, too. The moments of the others stay. */
hk_status hki_optimizer_refit(hk_optimizer *optimizer);
/* The moments of elements first, first + stride, ... start at 0 again.
 * `optimizer` may be NULL. */
void hki_optimizer_reset(hk_optimizer *optimizer, const hk_tensor *learned, int64_t first,
                         int64_t stride, int64_t n);

double hki_gradient_norm(const hk_tensor *learned); /* Euclidean, in double */
/* Norm of what the last measured step changed over the norm of what it became. */
double hki_update_ratio(const hk_optimizer *optimizer, const hk_tensor *learned);

/* The moments as a file's tensors, whose data are the optimizer's own. HK_NO_MEMORY. */
typedef struct hki_moments {
    char (*names)[HKI_MAX_NAME];
    hki_st_tensor *tensors;
    size_t n;
} hki_moments;
hk_status hki_moments_list(const hk_optimizer *optimizer, hki_moments *out);
void hki_moments_clear(hki_moments *moments);
/* Takes the moments from a file. HK_BAD_DATA: it has not all of them, and they stay as they were. */
hk_status hki_moments_load(hk_optimizer *optimizer, const char *path, const hki_st_file *file);
