/* Answers that do not depend on the question: a normalization over one value, a net of dead units. */
#include "train/evaluate.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "data/data.h"
#include "nn/nn.h"
#include "ops/ops.h"

enum { LOOKED_AT = 32 }; /* samples */
/* Differences below this share of the largest number are rounding. */
static const float same = 1e-6f;

bool hki_rows_are_equal(const float *y, int64_t rows, int64_t columns)
{
    float difference = 0, largest = 0;
    for (int64_t r = 1; r < rows; r++)
        for (int64_t c = 0; c < columns; c++) {
            difference = fmaxf(difference, fabsf(y[r * columns + c] - y[c]));
            largest = fmaxf(largest, fabsf(y[c]));
        }
    return difference <= same * largest; /* NAN is no equality */
}

/* What a run found of each tensor, by its id. */
typedef struct look {
    int64_t samples;
    enum { UNSEEN, VARIES, CONSTANT } * found;
} look;

static void watch(void *user, const hki_call *call, bool back, double seconds)
{
    const look *l = user;
    const hk_shape *shape = &call->tensor->shape;
    (void)back;
    (void)seconds;
    if (hki_is_batched(shape))
        l->found[call->tensor->id] =
            hki_rows_are_equal(call->y, l->samples, hki_sample_count(shape)) ? CONSTANT : VARIES;
}

/* A view of another tensor, such as a reshaped one, is no step of its own. */
static bool is_constant(const look *l, const hk_tensor *t)
{
    while (t->role == HKI_COMPUTED && l->found[t->id] == UNSEEN)
        t = t->inputs[0];
    return l->found[t->id] == CONSTANT;
}

/* Back from `t`, which is constant, to the operation that first made it so. */
static const hk_tensor *find_cause(const look *l, const hk_tensor *t)
{
    for (int i = 0; i < t->n_inputs; i++)
        if (is_constant(l, t->inputs[i]))
            return find_cause(l, t->inputs[i]);
    return t;
}

static hk_status run(hk_tensor *logits, const hk_data *data, look *l)
{
    hk_plan *plan;
    hk_plan_options options = {.batch = l->samples, .output = logits, .probe = 1};
    hk_status status = hk_plan_new(logits->net, &options, &plan);
    if (status)
        return status;
    hki_plan_watch(plan, watch, l);
    hki_data_images(data, 0, l->samples, hk_plan_value(plan, hk_tensor_input(logits)));
    status = hk_plan_forward(plan, l->samples);
    hk_plan_free(plan);
    return status;
}

hk_status hki_find_constant(hk_tensor *logits, const hk_data *data, const hk_tensor **cause)
{
    look l = {.samples = hki_min(data->shape.n, LOOKED_AT)};
    *cause = NULL;
    if (l.samples < 2)
        return HK_OK;
    l.found = hki_alloc_array((size_t)logits->net->n_tensors, sizeof *l.found);
    hk_status status = l.found ? run(logits, data, &l) : HK_NO_MEMORY;
    if (!status && is_constant(&l, logits))
        *cause = find_cause(&l, logits);
    hki_free(l.found);
    return status;
}

static const char *operation_of(const hk_tensor *t)
{
    return hki_is_activation(t) || hki_is_normalization(t) ? hki_use_of(t)->plugin->name
                                                           : t->op->name;
}

hk_status hk_net_constant(hk_tensor *logits, const hk_data *data, char *out, size_t size)
{
    const hk_tensor *cause;
    if (out && size)
        *out = '\0';
    if (hki_null(logits, data, out))
        return HK_BAD_ARGUMENT;
    hk_status status = hki_check_data(logits, data);
    if (!status)
        status = hki_find_constant(logits, data, &cause);
    if (!status && cause)
        snprintf(out, size, "%s of %s", operation_of(cause),
                 hki_layer_name(logits->net, cause->layer));
    return status;
}
