/* bench/workload.h - a model with batches of noise in memory, and its steps. */
#pragma once
#include "bench/bench.h"
#include "net/network.h"

typedef struct workload {
    const bench *in;
    const hk_team *team; /* who trains with this process; NULL: nobody */
    network it;
    hk_plan *plan;
    hk_optimizer *optimizer;
    hk_tensor *input, *labels;
    int64_t batch, floats; /* floats of one batch */
    int64_t multiply_adds; /* of one image, forward */
    float *images, *classes, *logits;
    int turn;
    timing *optimizer_times; /* NULL: not wanted */
} workload;

/* The model's net and some batches of noise; further for training. Cleared after failures, too. */
int bench_workload_prepare(workload *of, const bench *in, int64_t batch);
int bench_workload_prepare_training(workload *of, const bench *in);
void bench_workload_clear(workload *of);
/* One batch. Of a team, this process's share of it. */
hk_status bench_train_step(workload *of);
hk_status bench_infer_step(workload *of);
