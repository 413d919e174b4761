/* hillock/card.h - what a net's inputs and outputs mean (a "model card": Mitchell et al. 2019). */
#pragma once
#include <hillock/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Everything is optional: 0 and NULL where it is not known. Who fills in a card keeps what it points to;
 * hk_net_set_card() copies it. */
typedef struct hk_card {
    /* Inputs are standardised: x = (raw - mean[i]) / deviation[i]; i is the index in the last dimension, a
     * channel or a column. */
    int channels;
    const double *mean, *deviation; /* [channels] */
    int classes;
    const char *const *class_names;   /* [classes], of the outputs in order; NULL: their numbers */
    const char *const *feature_names; /* [channels], columns of a table; NULL: not one */
    const char *label; /* the column that was learned, "species", "column 5"; or NULL */
    double target_mean,
        target_deviation; /* regression: target = output * deviation + mean; a deviation of
                                             0: the outputs are classes */
    const char *data;     /* spec of the training data */
    const char *recipe;   /* how it was trained: a JSON object */
} hk_card;

#ifdef __cplusplus
}
#endif
