/* Activation: the plugin's kernels over tiles, and what a stateful one learns at a commit. */
#include "ops/ops.h"

#include <math.h>
#include <string.h>

const hki_use *hki_use_of(const hk_tensor *tensor)
{
    return tensor->attributes;
}

hk_tensor *hki_compute_use(const hki_op *op, hk_tensor *x, const hki_use *use,
                           hk_tensor *const *slots, hk_shape shape)
{
    hk_tensor *inputs[1 + HK_MAX_SLOTS] = {x};
    int n_slots = hki_slot_count(use->plugin);
    memcpy(inputs + 1, slots, (size_t)n_slots * sizeof *slots);
    return hki_compute(op, inputs, 1 + n_slots, shape, use);
}

static const hk_activation *activation_of(const hk_tensor *y)
{
    return hki_use_of(y)->plugin->activation;
}

/* What a training forward leaves for the commit: [0] the rows, then the sums. */
static size_t activate_statistics(const hk_tensor *y)
{
    int64_t sums = activation_of(y)->n_sums * hki_channels(&y->inputs[0]->shape);
    return sums ? (size_t)(1 + sums) * sizeof(double) : 0;
}

static void activate_forward(const hki_call *call)
{
    double *statistics = call->training ? call->statistics : NULL;
    hki_tiles_forward(call, statistics ? statistics + 1 : NULL);
    if (statistics)
        statistics[0] = (double)hki_rows(&call->tensor->inputs[0]->shape, call->batch);
}

static bool activate_in_place(const hk_tensor *y)
{
    return activation_of(y)->traits & HK_IN_PLACE &&
           hki_same_shape(&y->shape, &y->inputs[0]->shape);
}

double hki_mean_activity(int64_t rows, int64_t channels, const double *sums)
{
    double sum = 0;
    for (int64_t j = 0; j < channels; j++)
        sum += sums[j];
    return sum / ((double)rows * (double)channels);
}

static double activate_activity(const hki_call *call)
{
    const double *statistics = call->statistics;
    if (!statistics || statistics[0] == 0)
        return (double)NAN;
    return hki_mean_activity((int64_t)statistics[0], hki_channels(&call->tensor->inputs[0]->shape),
                             statistics + 1);
}

static void activate_commit(const hki_call *call, double network_activity)
{
    const hki_use *use = hki_use_of(call->tensor);
    const double *statistics = call->statistics;
    float *slots[HK_MAX_SLOTS];
    if (!use->plugin->activation->update || !statistics || statistics[0] == 0)
        return;
    hk_context context = hki_context_of(call, call->tensor, slots);
    hk_activity activity = {.rows = (int64_t)statistics[0],
                            .sums = statistics + 1,
                            .layer_mean = activate_activity(call),
                            .network_mean = network_activity};
    use->plugin->activation->update(&context, &activity);
    hki_clamp_slots(call);
}

static const hki_constant activate_kept[] = {{"use", HKI_ACTIVATION, 0}, {0}};

static hk_tensor *activate_again(const hk_tensor *like)
{
    const hki_use *use = like->attributes;
    if (hki_check_slots(use, like, 1, like->n_inputs - 1, 1, &like->inputs[0]->shape))
        return NULL;
    return hki_activate(like->inputs[0], use, like->inputs + 1);
}

const hki_op hki_op_activate = {.name = "activation",
                                .operands = 1,
                                .optional = HK_MAX_SLOTS,
                                .attribute_bytes = sizeof(hki_use),
                                .kept = activate_kept,
                                .again = activate_again,
                                .forward = activate_forward,
                                .backward = hki_tiles_backward,
                                .reads = hki_tiles_reads,
                                .saved_bytes = hki_tiles_saved,
                                .statistics_bytes = activate_statistics,
                                .scratch_bytes = hki_tiles_scratch,
                                .in_place = activate_in_place,
                                .activity = activate_activity,
                                .commit = activate_commit};

hk_tensor *hki_activate(hk_tensor *x, const hki_use *use, hk_tensor *const *slots)
{
    if (!x)
        return NULL;
    hk_shape shape = x->shape;
    if (!hki_has_channels(&shape))
        return hki_fail_null(HK_BAD_SHAPE,
                             "activation %s: expects channels in the last dimension, not %s",
                             use->plugin->name, hki_shape_text(&shape));
    if (use->plugin->activation->channels_out) {
        hk_context context = {.channels = hki_channels(&shape), .params = use->params};
        int64_t channels = use->plugin->activation->channels_out(&context, context.channels);
        if (channels < 1)
            return hki_fail_null(HK_BAD_SHAPE, "activation %s cannot work on %lld channels",
                                 use->plugin->name, (long long)context.channels);
        shape.dims[shape.ndim - 1] = channels;
    }
    return hki_compute_use(&hki_op_activate, x, use, slots, shape);
}
