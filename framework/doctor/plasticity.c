/* Measures of plasticity (Dohare et al. 2024, "Loss of plasticity in deep continual learning"): how many
 * directions the features of a net have, and how large its weights have become. */
#include <math.h>
#include <string.h>

#include "data/data.h"
#include "doctor/examine.h"
#include "doctor/record.h"
#include "ops/ops.h"

enum { MOST_IMAGES = 128 };

/* The mean |w| over the weights of all layers; NAN: there are none. */
static double weight_magnitude(const hk_net *net)
{
    double sum = 0, n = 0;
    for (int id = 0; id < net->n_tensors; id++) {
        const hk_tensor *w = net->tensors[id];
        if (w->role != HKI_LEARNED || w->shape.ndim < 2)
            continue;
        const int64_t count = hki_count(&w->shape, 1);
        for (int64_t i = 0; i < count; i++)
            sum += (double)fabsf(w->value[i]);
        n += (double)count;
    }
    return n > 0 ? sum / n : (double)NAN;
}

/* What the last product reads; NULL: the input, or there is no product. */
static hk_tensor *features_of(const hk_tensor *logits)
{
    for (int id = logits->id; id >= 0; id--) {
        const hk_tensor *y = logits->net->tensors[id];
        if (y->role == HKI_COMPUTED && hki_is_product(y))
            return y->inputs[0]->role == HKI_COMPUTED ? y->inputs[0] : NULL;
    }
    return NULL;
}

/* x[n][columns], or the other way round where that has fewer columns: the effective rank is the same. */
static void put_features(const float *y, int64_t n, int64_t columns, float *x)
{
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < columns; j++)
            x[columns > n ? j * n + i : i * columns + j] = y[i * columns + j];
}

/* Of the features on n images. */
static hk_status effective_rank(hk_plan *plan, hk_tensor *logits, const hk_data *data, int64_t n,
                                double *out)
{
    const hk_tensor *features = features_of(logits);
    const int64_t columns = hki_sample_count(&features->shape);
    float *x = hki_alloc_array((size_t)n * (size_t)columns, sizeof *x);
    hki_data_images(data, 0, n, hk_plan_value(plan, hk_tensor_input(logits)));
    hk_status status = x ? hk_plan_forward(plan, n) : HK_NO_MEMORY;
    if (!status) {
        put_features(hk_plan_value(plan, features), n, columns, x);
        status = hki_effective_rank(columns > n ? columns : n, columns > n ? n : columns, x, out);
    }
    hki_free(x);
    return status;
}

hk_status hki_measure_plasticity(hk_trainer *t)
{
    hki_attached *own = t->attached;
    const hk_data *data = t->options.train;
    hk_tensor *features = features_of(t->logits);
    const int64_t n = hki_min(t->to_probe, MOST_IMAGES);
    if (!data->stream)
        return HK_OK;
    t->report.weight_magnitude = weight_magnitude(t->logits->net);
    if (!features || !n)
        return HK_OK;
    hk_status status = HK_OK;
    if (!own->features) {
        hk_plan_options options = {.batch = n, .output = features};
        status = hk_plan_new(t->logits->net, &options, &own->features);
    }
    return status ? status
                  : effective_rank(own->features, t->logits, data, n, &t->report.effective_rank);
}
