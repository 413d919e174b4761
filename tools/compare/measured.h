/* measured.h - what workers report (pool.h), as records. */
#pragma once
#include "workers/pool.h"
#include "compare/results.h"

/* An epoch's report becomes the run's next epoch; one out of turn is left out. False: no memory. */
bool compare_measured_epoch(run_record *run, const json_t *message);
/* The result of a run that ended well. False: no memory. */
bool compare_measured_result(run_record *run, const json_t *message);
/* Whether it is to be tried again: a worker that was killed, if not by its plugin then by the system
 * or a person, is no verdict on the run; but not for ever. */
bool compare_measured_nothing(const run_record *run, const pool_event *event);
/* A run that failed or took too long. False: no memory. */
bool compare_measured_failure(run_record *run, const pool_event *event);
