/* summary.h - what is known of a trained net, as tables and as JSON. */
#pragma once
#include "compare/results.h"
#include "output.h"

/* "loss 0.0413 accuracy 98.75 %", or "loss 0.0232 R2 0.9768". */
void net_summary_metrics(FILE *to, const hk_metrics *metrics);
/* Accuracy, confusion matrix, precision, recall, F1 and AUC of each class; or R2. */
void net_summary_evaluation(FILE *to, const hk_data *data, const hk_evaluation *evaluation);
/* The same, added to an object as test_loss, test_accuracy, macro_f1, auc, test_floor, confusion,
 * classes; of regression, as test_loss, test_r2, test_rmse, test_floor. constant: null, or where the net
 * answers the same for all samples, which layer does it. */
void net_summary_evaluation_json(json_t *into, hk_tensor *logits, const hk_data *data,
                                 const hk_evaluation *evaluation);

/* A note, where the net answers the same for all samples: which layer does it. */
void net_summary_constant(hk_tensor *logits, const hk_data *data, const hk_metrics *metrics);

/* What each layer's units do; nothing without probes. */
void net_summary_layers(FILE *to, const hk_epoch_report *epoch);
json_t *net_summary_layers_json(const hk_epoch_report *epoch);
/* What an epoch on so many images measured; the layers are the report's. */
epoch_record net_summary_epoch(const hk_epoch_report *report, int64_t images);
/* What the test set says at the end of a run, and where all answers are the same; the run's other figures
 * stay. */
hk_status net_summary_run(hk_tensor *logits, const hk_data *test, const hk_evaluation *evaluation,
                          run_record *run);
/* Dead units of all layers, as a share. */
double net_summary_dead(const hk_epoch_report *epoch);
