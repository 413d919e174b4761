/* Normalization by a plugin's own kernels: row by row, or of a whole weight. Those that are affine
 * once their statistics are known are recorded here and computed by the fused operation (fused/fused.c). */
#include "ops/ops.h"

hk_domain hki_domain_of(const hki_use *use)
{
    hk_context context = {.params = use->params};
    return use->plugin->normalization->domain(&context);
}

bool hki_is_normalization(const hk_tensor *tensor)
{
    return tensor->op == &hki_op_normalize;
}

static void normalize_forward(const hki_call *call)
{
    hki_tiles_forward(call, NULL);
}

static const hki_constant normalize_kept[] = {{"use", HKI_NORMALIZATION, 0}, {0}};

static hk_tensor *normalize_again(const hk_tensor *like)
{
    const hki_use *use = like->attributes;
    hk_tensor *x = like->inputs[0];
    const bool whole = like->op == &hki_op_normalize_weight;
    if (hki_check_slots(use, like, 1, like->n_inputs - 1, whole ? hki_rows(&x->shape, 1) : 1,
                        &x->shape))
        return NULL;
    return whole ? hki_normalize_weight(x, use, like->inputs + 1)
                 : hki_normalize(x, use, like->inputs + 1);
}

const hki_op hki_op_normalize = {.name = "normalization",
                                 .operands = 1,
                                 .optional = HK_MAX_SLOTS,
                                 .attribute_bytes = sizeof(hki_use),
                                 .kept = normalize_kept,
                                 .again = normalize_again,
                                 .forward = normalize_forward,
                                 .backward = hki_tiles_backward,
                                 .reads = hki_tiles_reads,
                                 .saved_bytes = hki_tiles_saved,
                                 .scratch_bytes = hki_tiles_scratch};

hk_tensor *hki_normalize(hk_tensor *x, const hki_use *use, hk_tensor *const *slots)
{
    if (!x)
        return NULL;
    if (hki_domain_of(use) == HK_OVER_WEIGHT)
        return hki_fail_null(HK_BAD_ARGUMENT,
                             "%s normalizes weights: it belongs to a layer's weight_norm",
                             use->plugin->name);
    if (x->shape.ndim < 2)
        return hki_fail_null(HK_BAD_SHAPE,
                             "normalization %s: expects [batch, ..., channels], not %s",
                             use->plugin->name, hki_shape_text(&x->shape));
    return hki_compute_use(&hki_op_normalize, x, use, slots, x->shape);
}

/* ---- Normalization of a weight: the plugin sees the whole matrix [fan_in x channels] --------- */

static void weight_forward(const hki_call *call)
{
    const hki_use *use = hki_use_of(call->tensor);
    float *slots[HK_MAX_SLOTS];
    hk_context context = hki_context_of(call, call->tensor, slots);
    hk_tile tile = {.rows = context.rows, .x = call->x[0], .y = call->y, .aux = call->saved};
    hki_forward(use->plugin)(&context, &tile);
}

static void weight_backward(const hki_call *call)
{
    const hki_use *use = hki_use_of(call->tensor);
    float *slots[HK_MAX_SLOTS], *dslots[HK_MAX_SLOTS], *unwanted = call->scratch;
    hk_context context = hki_context_of(call, call->tensor, slots);
    int64_t learned = hki_learned_floats(use->plugin, context.rows, context.channels);
    hki_clear_slots(call, 1, use->plugin, context.rows, context.channels, unwanted, dslots);
    hk_tile tile = {.rows = context.rows,
                    .x = call->x[0],
                    .y = call->y,
                    .dy = call->dy,
                    .dx = call->dx[0] ? call->dx[0] : unwanted + learned,
                    .aux = call->saved,
                    .dslots = dslots};
    hki_backward(use->plugin)(&context, &tile);
}

/* Room for gradients that nobody wants. */
static size_t weight_scratch(const hk_tensor *y, int64_t batch)
{
    (void)batch;
    int64_t floats = 0;
    for (int i = 0; i < y->n_inputs; i++)
        floats += hki_count(&y->inputs[i]->shape, 1);
    return (size_t)floats * sizeof(float);
}

static void weight_commit(const hki_call *call, double network_activity)
{
    (void)network_activity;
    const hki_use *use = hki_use_of(call->tensor);
    float *slots[HK_MAX_SLOTS];
    if (!use->plugin->normalization->update)
        return;
    hk_context context = hki_context_of(call, call->tensor, slots);
    use->plugin->normalization->update(&context, NULL, call->x[0]);
    hki_clamp_slots(call);
}

const hki_op hki_op_normalize_weight = {.name = "weight normalization",
                                        .operands = 1,
                                        .optional = HK_MAX_SLOTS,
                                        .attribute_bytes = sizeof(hki_use),
                                        .kept = normalize_kept,
                                        .again = normalize_again,
                                        .forward = weight_forward,
                                        .backward = weight_backward,
                                        .reads = hki_tiles_reads,
                                        .saved_bytes = hki_tiles_saved,
                                        .scratch_bytes = weight_scratch,
                                        .commit = weight_commit};

hk_tensor *hki_normalize_weight(hk_tensor *weight, const hki_use *use, hk_tensor *const *slots)
{
    if (!weight)
        return NULL;
    if (hki_domain_of(use) != HK_OVER_WEIGHT)
        return hki_fail_null(HK_BAD_ARGUMENT, "%s does not normalize weights", use->plugin->name);
    return hki_compute_use(&hki_op_normalize_weight, weight, use, slots, weight->shape);
}
