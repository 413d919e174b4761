/* bench.h - timing for hillock bench: repetitions, their spread, and what share of the machine's
 * limit they reach.
 *
 * Other programs may slow a machine for seconds on end. So every repetition is followed by one of
 * the limit it is compared with, and the share is the median over these pairs. */
#pragma once
#include "options.h"
#include "output.h"
#include <hillock/hillock.h>

enum { BENCH_MOST = 1024 }; /* repetitions kept */

typedef struct bench {
    const options *given;
    int threads;
    json_t *rows; /* NULL: print */
} bench;

typedef struct timing {
    int n;
    double seconds[BENCH_MOST];
    double share[BENCH_MOST]; /* of the limit; NAN without one */
} timing;

/* True until `seconds` have gone by since `started`, but for at least five repetitions. */
bool bench_goes_on(const timing *of, double started, double seconds);
/* --seconds, or this many. */
double bench_seconds(const bench *in, double usual);
void bench_timing_add(timing *to, double seconds, double share);
double bench_timing_median(const timing *of);

/* A row of the result: what was timed. */
typedef struct result {
    const char *name, *pass;  /* "resnet20", "forward" */
    const char *unit, *limit; /* "GFLOP/s", "FMA peak"; limit NULL: none */
    double work;              /* units (operations, bytes, images) per repetition */
    double scale;             /* units in one of `unit`, 1e9 */
} result;
void bench_row(const bench *in, const result *it, const timing *of);

/* ---- The machine's limits (bench_limits.c) -------------------------------------------------- */

/* Measured now, in a few milliseconds: operations per second of the instruction set in use, bytes
 * read and written per second by a copy of `floats`. 0: out of memory. */
double bench_limit_peak(int threads);
double bench_limit_copy(int threads, int64_t floats);
void bench_limit_release(void); /* the copy's arrays */

/* ---- Studies of one layer (bench_layers.c) --------------------------------------------------- */

/* A layer recorded as a net of its own, whose plan is run again and again: the times are those of
 * the plan's steps, so what is measured is what training does. */
typedef struct study {
    hk_net *net;
    hk_plan *plan;
    int64_t batch;
    int64_t floats;           /* of the copy it is compared with; 0: with the FMA peak */
    timing times[2];          /* forward, backward */
    double seconds[2];        /* of the last run */
    int64_t multiply_adds[2]; /* likewise */
} study;

/* The input as something that has a gradient: 0 is added to each channel. */
hk_tensor *bench_study_input(hk_tensor *input, int channels);
/* Plans the backward pass from the sum of y, each dy being 1, fills the input, or the learned tensor
 * in its place, with noise, and runs it until --seconds are over. Fails where y is NULL. */
int bench_study_measure(const bench *in, study *of, hk_tensor *input, hk_tensor *y, int64_t batch);
/* A row of the result for one of the passes: back 0 or 1. */
void bench_study_row(const bench *in, const study *of, const char *name, const char *pass,
                     int back);
void bench_study_clear(study *of);

/* Normal numbers, the same in each call. */
void bench_noise(float *x, int64_t n);

/* ---- The kinds, hillock bench KIND OPERAND... ------------------------------------------------ */
int bench_limits(const bench *in);
int bench_train(const bench *in);
int bench_infer(const bench *in);
int bench_act(const bench *in);
int bench_norm(const bench *in);
int bench_conv(const bench *in);
