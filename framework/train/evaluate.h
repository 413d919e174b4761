/* train/evaluate.h - an evaluation plan, kept between epochs. */
#pragma once
#include "core/plan.h"
#include "train/train.h"

typedef struct hki_evaluator {
    hk_plan *plan;
    hk_tensor *logits;
    const hk_tensor *input;
    float *outputs;   /* logits and labels of the last data set */
    int32_t *labels;
    int64_t room;
} hki_evaluator;

hk_status hki_evaluator_new(hk_tensor *logits, hki_evaluator *out);
void hki_evaluator_clear(hki_evaluator *evaluator);
hk_status hki_evaluator_run(hki_evaluator *evaluator, const hk_data *data, hk_evaluation *out);

/* HK_BAD_SHAPE with both shapes when the net cannot take the data. */
hk_status hki_check_data(const hk_tensor *input, const hk_tensor *logits, const hk_data *data);
