/* Activation: the plugin's kernels over tiles, and what a stateful one learns at a commit. */
#include "ops/ops.h"

#include <math.h>
#include <string.h>

const hki_use *hki_use_of(const hk_tensor *tensor)
{
    return tensor->attributes;
}

static const hk_activation *activation_of(const hk_tensor *y)
{
    return hki_use_of(y)->plugin->activation;
}

/* What a training forward leaves for the commit: [0] the rows, then the sums. */
static size_t activate_record(const hk_tensor *y)
{
    int64_t sums = activation_of(y)->n_sums * hki_channels(&y->inputs[0]->shape);
    return sums ? (size_t)(1 + sums) * sizeof(double) : 0;
}

static void activate_forward(const hki_call *call)
{
    const hki_use *use = hki_use_of(call->tensor);
    const hk_activation *activation = use->plugin->activation;
    hki_block block = {.kernel = hki_forward(use->plugin),
                       .aux_floats = (int)activation->aux_floats,
                       .n_sums = (int)activation->n_sums};
    double *record = call->training ? call->record : NULL;
    hki_tiles_forward(call, use, &block, record ? record + 1 : NULL);
    if (record)
        record[0] = (double)hki_rows(&call->tensor->inputs[0]->shape, call->batch);
}

static void activate_backward(const hki_call *call)
{
    const hki_use *use = hki_use_of(call->tensor);
    const hk_activation *activation = use->plugin->activation;
    hki_block block = {.kernel = hki_backward(use->plugin),
                       .reads = activation->reads,
                       .aux_floats = (int)activation->aux_floats};
    hki_tiles_backward(call, use, &block);
}

static uint32_t activate_reads(const hk_tensor *y)
{
    uint32_t reads = activation_of(y)->reads;
    return (reads & HK_READS_X ? 1u : 0) | (reads & HK_READS_Y ? HKI_READS_OUTPUT : 0);
}

static size_t activate_keep(const hk_tensor *y, int64_t batch)
{
    return (size_t)hki_rows(&y->shape, batch) * activation_of(y)->aux_floats * sizeof(float);
}

static size_t activate_scratch(const hk_tensor *y, int64_t batch)
{
    return hki_tiles_scratch(y, hki_use_of(y), batch, (int)activation_of(y)->n_sums);
}

static bool activate_in_place(const hk_tensor *y)
{
    return activation_of(y)->traits & HK_IN_PLACE &&
           hki_same_shape(&y->shape, &y->inputs[0]->shape);
}

/* Mean over channels of the first sum per row. */
static double activate_activity(const hki_call *call)
{
    const double *record = call->record;
    if (!record || record[0] == 0)
        return (double)NAN;
    int64_t channels = hki_channels(&call->tensor->inputs[0]->shape);
    double sum = 0;
    for (int64_t j = 0; j < channels; j++)
        sum += record[1 + j];
    return sum / (record[0] * (double)channels);
}

static void activate_commit(const hki_call *call, double network_activity)
{
    const hki_use *use = hki_use_of(call->tensor);
    const double *record = call->record;
    float *slots[HK_MAX_SLOTS];
    if (!use->plugin->activation->update || !record || record[0] == 0)
        return;
    hk_context context = hki_context_of(call, call->tensor, 1, use, slots);
    hk_activity activity = {.rows = (int64_t)record[0],
                            .sums = record + 1,
                            .layer_mean = activate_activity(call),
                            .network_mean = network_activity};
    use->plugin->activation->update(&context, &activity);
    hki_clamp_slots(call);
}

const hki_op hki_op_activate = {.name = "activation",
                                .forward = activate_forward,
                                .backward = activate_backward,
                                .reads = activate_reads,
                                .keep_bytes = activate_keep,
                                .record_bytes = activate_record,
                                .scratch_bytes = activate_scratch,
                                .in_place = activate_in_place,
                                .activity = activate_activity,
                                .commit = activate_commit};

hk_tensor *hki_activate(hk_tensor *x, const hki_use *use, hk_tensor *const *slots)
{
    if (!x)
        return NULL;
    hk_tensor *inputs[1 + HK_MAX_SLOTS] = {x};
    int n_slots = hki_slot_count(use->plugin);
    hk_shape shape = x->shape;
    memcpy(inputs + 1, slots, (size_t)n_slots * sizeof *slots);
    if (shape.ndim == 0 || shape.dims[shape.ndim - 1] == HK_BATCH) {
        hki_fail(HK_BAD_SHAPE, "activation %s: expects channels in the last dimension, not %s",
                 use->plugin->name, hki_shape_text(&shape));
        return NULL;
    }
    if (use->plugin->activation->channels_out) {
        hk_context context = {.channels = hki_channels(&shape), .params = use->params};
        int64_t channels = use->plugin->activation->channels_out(&context, context.channels);
        if (channels < 1) {
            hki_fail(HK_BAD_SHAPE, "activation %s cannot work on %lld channels", use->plugin->name,
                     (long long)context.channels);
            return NULL;
        }
        shape.dims[shape.ndim - 1] = channels;
    }
    return hki_compute(&hki_op_activate, inputs, 1 + n_slots, shape, use, sizeof *use);
}
