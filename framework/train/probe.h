/* train/probe.h - looks at every activation while a plan evaluates: which units are dead. */
#pragma once
#include "core/plan.h"
#include "train/train.h"

typedef struct hki_probe hki_probe;

/* Watches a plan made with .probe = 1. HK_NO_MEMORY. */
hk_status hki_probe_new(hk_plan *plan, hki_probe **out);
void hki_probe_free(hki_probe *probe);
/* Forgets what was seen; from now on the plan's forward runs are looked at. */
void hki_probe_reset(hki_probe *probe);
int64_t hki_probe_seen(const hki_probe *probe); /* samples */
int hki_probe_layers(const hki_probe *probe);
int hki_probe_layer(const hki_probe *probe, int i); /* the net's number of layer i */
/* Shares of layer i, and its name; the gradient norm is left to the caller. */
void hki_probe_report(const hki_probe *probe, int i, hk_layer_report *out);
