/* bench/parts_model.h - what a step with its batch in parts takes on several machines, from the times of one. */
#pragma once
#include "graph/plan.h"

/* What a message takes: latency + bytes / bandwidth. */
typedef struct bench_network {
    double latency, bandwidth; /* seconds, bytes per second */
} bench_network;
/* "10Gbit,50us"; false with a message. */
bool bench_network_read(const char *text, bench_network *out);
/* Between this process and its neighbour; all of a team call it. NULL: done, else why it failed. */
const char *bench_network_measure(const hk_team *team, bench_network *out);

/* A training step on one process. */
typedef struct bench_step {
    double *forward, *backward; /* [n_steps of the plan], seconds */
    double optimizer;
} bench_step;

/* Seconds of a step on `ranks` machines like this one, each with its share of the parts; *bytes: what
 * one of them sends. */
double bench_parts_forecast(const hk_plan *plan, const bench_step *one, int ranks,
                            const bench_network *network, double *bytes);
