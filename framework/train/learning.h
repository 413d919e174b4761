/* train/learning.h - which units learn: those whose incoming weights receive a gradient. This is the one
 * judgement of dead units, which docs/dead-neurons.md defines; all that counts or treats them asks here. */
#pragma once
#include <hillock/data.h>
#include "graph/plan.h"

typedef struct hki_learning hki_learning;

/* Of the net that ends in `logits`, which fits the data, by a plan of its own. Until hki_learning_free(), which
 * leaves the net as it was, nothing may be recorded in it. HK_NO_MEMORY. [one thread] per net */
hk_status hki_learning_open(hk_tensor *logits, const hk_data *data, hki_learning **out);
/* By a plan that trains it, which must outlive what is made. */
hk_status hki_learning_by(hk_plan *plan, hk_tensor *logits, hk_tensor *labels, const hk_data *data,
                          hki_learning **out);
void hki_learning_free(hki_learning *learning);

/* Goes on until n images have been seen, or all units have been seen to learn: batches go forward in training
 * mode, and backward; no step is taken. Gradients that wait for one are kept. */
hk_status hki_learning_until(hki_learning *learning, int64_t n);
/* Forgets what was seen. */
void hki_learning_restart(hki_learning *learning);

/* The net's activations, in order of computing. */
int hki_learning_layers(const hki_learning *learning);
const hk_tensor *hki_learning_tensor(const hki_learning *learning, int i);
/* Whether unit u of an activation of the net learns. One without weights of its own does. */
bool hki_learns(const hki_learning *learning, const hk_tensor *activation, int64_t u);
/* The share of its units that do not; NAN: its units have no weights of their own, or none that are trained. */
double hki_not_learning(const hki_learning *learning, const hk_tensor *activation);

/* How many of the images that are left make the next batch, of at most `batch`: so that the last one is not of
 * a few images, by which no statistics can be taken. */
static inline int64_t hki_next_batch(int64_t left, int64_t batch)
{
    const bool halves = left > batch && left - batch < batch / 4;
    return halves ? (left + 1) / 2 : left < batch ? left : batch;
}
/* `count` images into x: those from place `first` on in an order in which any number of images in a row is
 * spread over the data, which may be sorted by class. */
void hki_spread_images(const hk_data *data, int64_t first, int64_t count, float *x);
