/* events.h - figures of a training as TensorBoard reads them: an event file. */
#pragma once
#include <hillock/train.h>

typedef struct net_events net_events;

/* A new file "events.out.tfevents.SECONDS.HOST.PROCESS" in a folder, which is made if it is not there.
 * EXIT_DONE, or EXIT_IO with a sentence. */
int net_events_open(const char *folder, net_events **out);
/* Adds one figure at a step and hands it to the system; NAN is no figure. */
void net_events_scalar(net_events *to, const char *name, int64_t step, double value);
/* What an epoch measured: loss/train, loss/validation, accuracy/validation (or r2/), rate, images_per_s,
 * and dead/LAYER of each layer. */
void net_events_epoch(net_events *to, const hk_epoch_report *report);
/* What the test set gives at the end: loss/test, accuracy/test (or r2/test). */
void net_events_test(net_events *to, int64_t step, const hk_metrics *metrics);
/* EXIT_IO with a sentence where a write failed. `to` may be NULL. */
int net_events_close(net_events *to);
