/* train/evaluate.h - evaluating a net, by a plan that may be kept between epochs. */
#pragma once
#include "graph/plan.h"
#include "train/train.h"

hk_status hki_evaluation_plan(hk_tensor *logits, hk_plan **out);
/* As hk_evaluate, for data that fit. */
hk_status hki_evaluate_by(hk_plan *plan, hk_tensor *logits, const hk_data *data,
                          hk_evaluation *out);

/* HK_BAD_SHAPE with both shapes when the net cannot take the data, HK_BAD_ARGUMENT when it has no
 * input. */
hk_status hki_check_data(hk_tensor *logits, const hk_data *data);
