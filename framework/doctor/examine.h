/* doctor/examine.h - the stages of an examination: examine.c observes a net, rank.c counts directions,
 * cause.c finds out why units do not learn, advise.c what to do. */
#pragma once
#include <hillock/doctor.h>
#include "train/learning.h"
#include "train/probe.h"

enum { HKI_SAMPLED_ROWS = 2048, HKI_RANKED_UNITS = 512 };

/* An activation and rows of it, drawn evenly over the inputs at random positions. */
typedef struct hki_sampled {
    const hk_tensor *tensor;
    int64_t channels_in, channels_out, rows; /* rows: drawn so far */
    float *x, *y; /* [HKI_SAMPLED_ROWS x channels]; NULL: more than HKI_RANKED_UNITS of them */
} hki_sampled;

/* Observes a net while it runs forward, in training mode. */
typedef struct hki_observer {
    hk_plan *plan;
    hki_probe *probe;
    const hk_tensor *input;
    const hk_data *data;
    hki_watch *watch; /* the probe's, called first */
    void *watcher;
    hki_sampled *layers; /* [n_layers], in the probe's order */
    int n_layers;
    int64_t done;              /* inputs before this batch */
    int64_t stride, per_input; /* rows are drawn from every stride-th input, so many each */
    double *sums, *squares;    /* [channels of the input] */
} hki_observer;

/* exp(entropy of s_i / sum s), s the singular values of a[rows x columns]: Roy & Vetterli 2007,
 * "The effective rank: a measure of effective dimensionality". 0 for a matrix of zeros. The same
 * bits for any number of threads. HK_NO_MEMORY. */
hk_status hki_effective_rank(int64_t rows, int64_t columns, const float *a, double *out);

/* Has the unit no slope: none above 1e-3, or where channels are mixed an output that never changes. */
bool hki_has_no_slope(const hki_unit *unit);

/* Fills causes and reasons of the layers; `start`, of the net before its first step, and `record` may be NULL. */
void hki_find_causes(const hki_observer *observer, const hki_learning *start,
                     const hk_record *record, hk_examination *out);
/* Fills the advice from the causes. */
hk_status hki_advise(const hki_observer *observer, const hk_record *record, hk_examination *out);
