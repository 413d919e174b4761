/* doctor/record.h - what a training records of itself, for the doctor: how it began, the step that
 * changed each layer most, the largest loss. It is saved in the metadata of the net. */
#pragma once
#include <hillock/doctor.h>
#include "doctor/continual.h"
#include "train/trainer.h"

#define HKI_RECORD_KEY "hk.record"

typedef struct hki_record hki_record;

/* trainer->attached: what the doctor has in a training. */
typedef struct hki_attached {
    hki_treatments treatments; /* n = 0: none */
    hki_record *record;
    hki_continual *continual; /* NULL: no such treatment */
    hk_plan *features; /* up to what the last layer reads; NULL: to be made when it is needed */
} hki_attached;

/* After a task of a stream: the effective rank of the features, and the mean |w|, in trainer->report. */
hk_status hki_measure_plasticity(hk_trainer *trainer);

/* Before the first step of a net that is filled. HK_NO_MEMORY. */
hk_status hki_record_start(hk_trainer *trainer);
void hki_record_free(hki_record *record);
/* After a step: its loss, and how the parameters have grown. */
void hki_record_step(hk_trainer *trainer, double loss);
/* As text of that metadata, to be freed by hki_free; NULL: no memory. */
char *hki_record_text(const hk_trainer *trainer);
/* Goes on with a file's record; without one the beginning is unknown. HK_BAD_DATA. */
hk_status hki_record_load(hk_trainer *trainer, const char *path, const hki_st_file *file);
/* When something other than a step has changed the parameters, or there are more of them: that is
 * no growth. HK_NO_MEMORY. */
hk_status hki_record_measure(hk_trainer *trainer);
