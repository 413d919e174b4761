/* message.h - what the workers of a sweep report (workers/pool.h lists it), written and read. */
#pragma once
#include "compare/results.h"
#include "workers/pool.h"
#include <jansson.h>

/* The report of an epoch, with histograms or without, and of a run that ended well; NULL when memory
 * is refused. */
json_t *compare_message_of_epoch(const epoch_record *epoch, bool histograms);
json_t *compare_message_of_run(const run_record *run);

/* What is wrong with a worker's report; NULL: nothing. */
const char *compare_message_fault(const json_t *report);
/* A number of an object; NAN where it has none, or null. */
double compare_message_number(const json_t *object, const char *name);

/* Of reports that are not at fault. An epoch's becomes the run's next epoch; one out of turn is left
 * out. False: no memory. */
bool compare_message_take_epoch(run_record *run, const json_t *report);
/* The result of a run that ended well. */
void compare_message_take_result(run_record *run, const json_t *report);
/* A run that failed or took too long. False: no memory. */
bool compare_message_take_failure(run_record *run, const pool_event *event);
/* Whether it is to be tried again: a worker that was killed, if not by its plugin then by the system
 * or a person, is no verdict on the run; but not for ever. */
bool compare_message_says_nothing(const run_record *run, const pool_event *event);
