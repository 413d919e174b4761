/* train/trainer.h - a training in progress: what the loop and its checkpoints share. */
#pragma once
#include "train/evaluate.h"
#include "train/hooks.h"
#include "train/learning.h"
#include "train/optimizer.h"
#include "train/probe.h"

struct hk_trainer {
    hk_train_options options; /* with defaults filled in; its texts end with hk_trainer_new */
    char *optimizer_spec;
    hk_tensor *logits, *loss;
    hk_tensor *labels; /* classes [batch], or targets [batch, 1] */
    const hk_tensor *input;
    hk_plan *plan, *evaluation;
    hk_plan *probed; /* with the probe; both NULL without probes */
    hki_probe *probe;
    hki_learning *learning;     /* by `plan`; likewise */
    int64_t to_probe, to_judge; /* inputs */
    int64_t right;              /* answers of this epoch, of a stream */
    hk_optimizer *optimizer;
    void *attached; /* of the hooks */
    hki_schedule schedule;
    hk_loader *loader;
    int64_t steps_per_epoch, step; /* step: taken so far */
    int epoch;                     /* finished so far */
    hk_layer_report *layers;
    hk_epoch_report report;
    float *other; /* keep_best: values of the tensors that files store: those of the best epoch, */
    bool shows_best; /* or where the net has these, of the last */
};

/* Where the sets are streams, they show the task of this epoch, counted from 0. */
void hki_trainer_show_task(const hk_trainer *trainer, int epoch);

/* ---- The best epoch (best.c) ------------------------------------------------------------------- */
hk_status hki_best_start(hk_trainer *trainer);
/* After an epoch's evaluation. */
void hki_best_update(hk_trainer *trainer);
/* Gives the net the values of the best epoch, or those of the last; nothing where no best is kept. */
void hki_best_show(hk_trainer *trainer, bool best);

/* "3 0.25 0.3 0.9", what report.best is in a file's metadata. */
enum { HKI_BEST_SIZE = 4 * 40 };
#define HKI_BEST_KEY "hk.best"
void hki_best_text(const hk_trainer *trainer, char text[HKI_BEST_SIZE]);
/* Adds the last epoch's values, while the net shows the best's. */
void hki_best_list(const hk_trainer *trainer, hki_moments *to);
/* HK_BAD_DATA: the best epoch's text is damaged, or keep_best lacks its net; then nothing changed. */
hk_status hki_best_check(const hk_trainer *trainer, const char *path, const hki_st_file *file,
                         int64_t epochs, hk_best_epoch *best);
/* The net has the file's values; makes of it the last epoch's, and keeps the best's if asked for. */
void hki_best_load(hk_trainer *trainer, const hki_st_file *file, hk_best_epoch best);
