/* message.h - what the coordinator of a comparison and its workers (`hillock worker`, hidden) tell
 * each other, through workers/pool.h.
 *
 * A request is a JSON object:
 *   data, model, act, norm, init, weight_norm, optimizer, schedule, augment, quantise   texts; absent: default
 *   plugins     [path...], files to load first
 *   epochs, batch, clip, smoothing, seed, threads                             numbers; absent: default
 *   rate        learning rate in place of the optimizer's own
 *   validation  share of the training data kept aside, drawn by `seed`
 *   probes, test   booleans: measure layers; evaluate the test set once, at the end
 *   images      [height, width, channels, classes]: only describes the row, on such images, and its
 *               recipe for this number of `samples`
 *   list, kind  a list of specs of a kind: only writes out the sets in it
 * and a worker reports, in this order:
 *   {"type":"progress", epoch, epochs, done, of, loss, images_per_s, seconds_left}, often
 *   {"type":"epoch", epoch, the figures of an epoch, layers:[{the figures of a layer}]}, once an epoch
 *   {"type":"result", the figures of a run}, once, at the end
 *    figures.h has the figures; one that is not finite is null
 *   {"type":"description"} or {"type":"list"} instead, see describe.h
 *   {"type":"failed", failure, reason} instead, when it can say itself why it ends:
 *     diverged   the loss is not finite; the reason says where
 *     plugin     a plugin file cannot be used       data, io   a data set cannot be used, read
 *     shape, name, argument   the request asks for what does not fit, does not exist, or is wrong */
#pragma once
#include "compare/results.h"
#include "options.h"
#include "workers/pool.h"
#include <jansson.h>

/* The report of an epoch, with histograms or without, and of a run that ended well; NULL when memory
 * is refused. */
json_t *compare_message_of_epoch(const epoch_record *epoch, bool histograms);
json_t *compare_message_of_run(const run_record *run);

/* The part of a request that is options (its validation is --val), and the options of a request, whose
 * texts it keeps. */
json_t *compare_message_of_options(const options *given);
options compare_message_take_options(const json_t *request);
/* Starts a worker of the pool on a request; 0, or the exit status after printing why. */
int compare_message_request(pool *workers, int64_t id, const json_t *request);
/* What is wrong with the form of a report; NULL: nothing. */
const char *compare_message_fault(const json_t *report);
/* A number of an object; NAN where it has none, or null. */
double compare_message_number(const json_t *object, const char *name);

/* Of reports that are not at fault. An epoch's becomes the run's next epoch, of `most`; one out of turn is
 * left out. False: no memory. */
bool compare_message_take_epoch(run_record *run, int64_t most, const json_t *report);
/* The result of a run that ended well. */
void compare_message_take_result(run_record *run, const json_t *report);
/* A run that failed or took too long. False: no memory. */
bool compare_message_take_failure(run_record *run, const pool_event *event);
/* Whether it is to be tried again: a worker that was killed, if not by its plugin then by the system
 * or a person, is no verdict on the run; but not for ever. */
bool compare_message_may_retry(const run_record *run, const pool_event *event);
