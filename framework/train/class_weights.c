/* Weights of classes from how often they occur: King & Zeng 2001, "Logistic regression in rare events
 * data", section 4.2, with the mean weight of a sample 1. */
#include "data/data.h"
#include "train/train.h"

hk_status hk_class_weights(const hk_data *data, double *weights)
{
    if (hki_null(data, weights))
        return HK_BAD_ARGUMENT;
    int occurring = 0;
    for (int i = 0; i < data->shape.classes; i++)
        weights[i] = 0;
    for (int64_t i = 0; i < data->shape.n; i++)
        occurring += weights[data->labels[i]]++ < 1;
    for (int i = 0; i < data->shape.classes; i++)
        weights[i] = weights[i] > 0 ? (double)data->shape.n / (occurring * weights[i]) : 1;
    return HK_OK;
}
