/* train/probe.h - statistics of every activation while a plan runs: what the outputs and slopes of its units
 * are like. */
#pragma once
#include "graph/plan.h"
#include "train/train.h"
#include "train/unit.h"

typedef struct hki_probe hki_probe;

/* Probes a plan made with .probe = 1: from now on, in its forward runs. HK_NO_MEMORY. */
hk_status hki_probe_new(hk_plan *plan, hki_probe **out);
void hki_probe_free(hki_probe *probe);
/* Starts anew, then runs n samples, spread over the data and fed to `input`, through the plan. */
hk_status hki_probe_run(hki_probe *probe, const hk_tensor *input, const hk_data *data, int64_t n);
int hki_probe_layers(const hki_probe *probe);
const hk_tensor *hki_probe_tensor(const hki_probe *probe, int i); /* the activation of layer i */
/* Statistics of layer i, and its name; the share of dead units, gradient norm and update ratio are left to
 * the caller. */
void hki_probe_report(const hki_probe *probe, int i, hk_layer_report *out);

/* One unit of a layer, its shares and variances finished. */
void hki_probe_unit(const hki_probe *probe, int i, int64_t unit, hki_unit *out);
/* The mean of |y| over a layer. */
double hki_probe_mean_abs(const hki_probe *probe, int i);
