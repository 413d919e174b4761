/* doctor/record.h - what a training remembers of itself, for the doctor: how it began, the step that
 * changed each layer most, the largest loss. Kept in the metadata of the saved net. */
#pragma once
#include <hillock/doctor.h>
#include "io/io.h"
#include "train/optimizer.h"

#define HKI_RECORD_KEY "hk.record"

typedef struct hki_record hki_record;

/* Begins before the first step of a net that is filled. The optimizer must outlive the record.
 * HK_NO_MEMORY. */
hk_status hki_record_new(const hk_optimizer *optimizer, hki_record **out);
void hki_record_free(hki_record *record);
/* After a step: its loss, and how the parameters have grown. */
void hki_record_step(hki_record *record, double loss);
/* As text of that metadata, to be freed by hki_free; NULL: no memory. */
char *hki_record_text(const hki_record *record);
/* Goes on with a file's record; without one the beginning is unknown. HK_BAD_DATA. */
hk_status hki_record_resume(hki_record *record, const char *path, const hki_st_file *file);
/* When something other than a step has changed the parameters, or there are more of them: that is
 * no growth. HK_NO_MEMORY. */
hk_status hki_record_measure(hki_record *record);
