/* forecast/forecast.h - what the files of a forecast share: one record a tensor, filled by simulation
 * (forecast.c) and by theory (mean_field.c), and what follows from them (outlook.c). */
#pragma once
#include <hillock/forecast.h>
#include "graph/graph.h"

/* A number of every net. */
typedef struct hki_tally {
    double sum, squares;
    int64_t n;
} hki_tally;
hk_estimate hki_tally_estimate(const hki_tally *tally);

/* A tensor over all nets: the statistics of hk_forecast_layer. Of learned tensors, mean and square
 * alone. */
typedef struct hki_tensor_stats {
    hk_tensor *tensor;
    hki_tally mean, square, square_squared, difference, gradient, dead_units, dead, silent;
    bool *differs; /* [channels]: in the net at hand; NULL: the tensor is not watched */
    double square_theory, gradient_theory, silent_theory;
} hki_tensor_stats;

/* Fills the theory of seen[0 .. n - 1], by tensor id; the last one is the net's output. */
void hki_mean_field(hki_tensor_stats *seen, int n);
/* sqrt(fan_in mean(w^2)) of the layer whose output goes into an activation; NAN: none is near. */
double hki_gain_before(const hki_tensor_stats *seen, const hk_tensor *t);

/* Depth and verdict, from the layers; uses_rai: of a net initialized by rai, which needs no advice to use it. */
void hki_outlook(hk_forecast *forecast, bool uses_rai);
