/* train/hooks.h - what happens in a training beside its steps. The trainer knows nothing of it: doctor
 * defines hki_train_hooks. */
#pragma once
#include <hillock/train.h>
#include "io/io.h"

enum { HKI_ATTACHED_TEXTS = 2 };

/* Their own state is trainer->attached. A failure ends the training. */
extern const struct hki_train_hooks {
    /* The options are there, the net is as it was. */
    hk_status (*open)(hk_trainer *trainer);
    /* Net, optimizer and plans are ready for the first step. */
    hk_status (*start)(hk_trainer *trainer);
    void (*close)(hk_trainer *trainer); /* also after a failure of open or start */

    /* Before an epoch, so that training resumed after the last one does the same. It may change
     * parameters, and with hki_trainer_replan() the graph. */
    hk_status (*before_epoch)(hk_trainer *trainer);
    /* Tensors whose values after_forward reads, which plans keep: how many, to `out` where that is not NULL. */
    int (*keep)(const hk_trainer *trainer, hk_tensor **out);
    void (*after_forward)(hk_trainer *trainer, int64_t n); /* before backward, of n samples */
    hk_status (*after_step)(hk_trainer *trainer, double loss);
    hk_status (*after_epoch)(hk_trainer *trainer);

    /* What a file keeps in its metadata as keys[i]: text, freed by hki_free(), "" for nothing; NULL: no
     * memory. */
    const char *keys[HKI_ATTACHED_TEXTS];
    char *(*save)(const hk_trainer *trainer, int i);
    hk_status (*load)(hk_trainer *trainer, const char *path, const hki_st_file *file);
    hk_status (*loaded)(hk_trainer *trainer); /* the file's parameters are in the net */
} hki_train_hooks;

/* The graph has other steps, and perhaps more to learn: makes plans and moments for it. */
hk_status hki_trainer_replan(hk_trainer *trainer);
