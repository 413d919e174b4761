/* train/evaluate.h - evaluating a net, by a plan that may be kept between epochs. */
#pragma once
#include "graph/plan.h"
#include "train/train.h"

hk_status hki_evaluation_plan(hk_tensor *logits, hk_plan **out);
/* As hk_evaluate, for data that fit, of n samples at equal distances. */
hk_status hki_evaluate_by(hk_plan *plan, hk_tensor *logits, const hk_data *data, int64_t n,
                          hk_evaluation *out);

/* Whether y[rows][columns] has the same row throughout, but for rounding. */
bool hki_rows_are_equal(const float *y, int64_t rows, int64_t columns);
/* As hk_net_constant, the operation; NULL: the logits depend on the input. */
hk_status hki_find_constant(hk_tensor *logits, const hk_data *data, const hk_tensor **cause);

/* HK_BAD_SHAPE with both shapes when the net cannot take the data, HK_BAD_ARGUMENT when it has no
 * input. */
hk_status hki_check_data(hk_tensor *logits, const hk_data *data);
