/* train/trainer.h - a training in progress: what the loop and its checkpoints share. */
#pragma once
#include "train/evaluate.h"
#include "train/hooks.h"
#include "train/optimizer.h"
#include "train/probe.h"

struct hk_trainer {
    hk_train_options options; /* with defaults filled in; its texts end with hk_trainer_new */
    char *optimizer_spec;
    hk_tensor *logits, *labels, *loss;
    const hk_tensor *input;
    hk_plan *plan, *evaluation;
    hk_plan *probed; /* with the probe; both NULL without probes */
    hki_probe *probe;
    int64_t to_probe; /* inputs */
    hk_optimizer *optimizer;
    void *attached; /* of the hooks */
    hki_schedule schedule;
    hk_loader *loader;
    int64_t steps_per_epoch, step; /* step: taken so far */
    int epoch;                     /* finished so far */
    hk_layer_report *layers;
    hk_epoch_report report;
};
