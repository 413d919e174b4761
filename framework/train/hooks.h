/* train/hooks.h - what happens in a training beside its steps. The trainer knows this table alone; the
 * doctor fills one in and attaches it to every training (doctor/attach.c). */
#pragma once
#include <hillock/train.h>
#include "io/io.h"

/* What is attached keeps its own things in trainer->attached. A failure ends the training. */
typedef struct hki_hooks {
    /* The options are there, the net is as it was: reads those that are its own. */
    hk_status (*open)(hk_trainer *trainer);
    /* Net, optimizer and plans are ready for the first step. */
    hk_status (*start)(hk_trainer *trainer);
    void (*close)(hk_trainer *trainer); /* also after a failure of open or start */

    /* Before an epoch, so that training resumed after the last one does the same. It may change
     * parameters, and with hki_trainer_replan() the graph. */
    hk_status (*before_epoch)(hk_trainer *trainer);
    void (*after_step)(hk_trainer *trainer, double loss);
    void (*after_epoch)(hk_trainer *trainer);

    /* What to keep in a file's metadata as `key`: a text, to be freed by hki_free; NULL: no memory. */
    const char *key;
    char *(*save)(const hk_trainer *trainer);
    hk_status (*load)(hk_trainer *trainer, const char *path, const hki_st_file *file);
    hk_status (*loaded)(hk_trainer *trainer); /* the file's parameters are in the net */
} hki_hooks;

/* As hk_trainer_new, with the hooks attached. */
hk_status hki_trainer_new(hk_tensor *logits, const hk_train_options *options,
                          const hki_hooks *hooks, hk_trainer **out);
/* The graph has other steps, and perhaps more to learn: makes plans and moments for it. */
hk_status hki_trainer_replan(hk_trainer *trainer);
