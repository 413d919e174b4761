/* Two activations in one layer: f(x), but g(x) in the channels whose count in `mask` is above 0.
 *
 * Both run over the whole layer and the columns that count are copied: few channels are overridden, but
 * columns cut out of a channels-last block would have to be gathered and scattered. A part is the
 * tensor that would compute f or g alone; its slots' gradients see dy as 0 where it does not count.
 * The inputs are x, the slots of f, `mask`, the slots of g. */
#include "ops/ops.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

#include "engine/kernels.h"

_Static_assert(2 + 2 * HK_MAX_SLOTS <= HKI_MAX_INPUTS, "x, mask and all slots of two plugins");

typedef struct override {
    hki_use uses[2]; /* first: hki_use_of() gives that of f */
    hk_tensor parts[2];
} override;

bool hki_is_channel_override(const hk_tensor *tensor)
{
    return tensor->op == &hki_op_override;
}

bool hki_is_activation(const hk_tensor *tensor)
{
    return tensor->op == &hki_op_activate || hki_is_channel_override(tensor);
}

const hk_tensor *hki_override_part(const hk_tensor *y, int i)
{
    const override *m = hki_is_channel_override(y) ? y->attributes : NULL;
    return m ? &m->parts[i] : y;
}

static int mask_at(const hk_tensor *y)
{
    return hki_override_part(y, 0)->n_inputs;
}

hk_tensor *hki_override_mask(const hk_tensor *y)
{
    return y->inputs[mask_at(y)];
}

/* The call as part i sees it. Where both parts keep something, the second's is behind the first's. */
static hki_call part_call(const hki_call *call, int i)
{
    const hk_tensor *part = hki_override_part(call->tensor, i),
                    *first = hki_override_part(call->tensor, 0);
    int slots = i ? mask_at(call->tensor) + 1 : 1;
    hki_call own = *call;
    own.tensor = part;
    for (int k = 1; k < part->n_inputs; k++) {
        own.x[k] = call->x[slots + k - 1];
        own.dx[k] = call->dx[slots + k - 1];
    }
    if (i && call->saved)
        own.saved = (char *)call->saved + hki_op_activate.saved_bytes(first, call->batch);
    if (i && call->statistics)
        own.statistics = (char *)call->statistics + hki_op_activate.statistics_bytes(first);
    if (!hki_op_activate.statistics_bytes(part))
        own.statistics = NULL;
    return own;
}

static size_t whole_bytes(const hk_tensor *y, int64_t batch)
{
    return hki_lines(hki_count(&y->shape, batch)) * sizeof(float);
}

/* to[r, j] = from[r, j], or 0 without `from`, where channel j is masked, or where it is not. */
static void copy_columns(const hki_call *call, bool where_mask, const float *from, float *to)
{
    const int64_t c = hki_channels(&call->tensor->shape);
    const int64_t rows = hki_rows(&call->tensor->shape, call->batch);
    const float *mask = call->x[mask_at(call->tensor)];
#pragma omp parallel for num_threads(hki_threads_for((rows * c))) schedule(static)
    for (int64_t r = 0; r < rows; r++)
        for (int64_t j = 0; j < c; j++)
            if ((mask[j] > 0) == where_mask)
                to[r * c + j] = from ? from[r * c + j] : 0;
}

static void override_forward(const hki_call *call)
{
    hki_call f = part_call(call, 0), g = part_call(call, 1);
    float *aside = call->scratch;
    f.scratch = g.scratch = (char *)call->scratch + 2 * whole_bytes(call->tensor, call->batch);
    g.y = aside;
    hki_op_activate.forward(&f);
    hki_op_activate.forward(&g);
    copy_columns(call, true, aside, call->y);
}

/* dy, or where its slots learn a copy that is 0 in the channels of the other part. */
static const float *part_dy(const hki_call *call, int i, float *aside)
{
    const hk_tensor *part = hki_override_part(call->tensor, i);
    bool learns = false;
    for (int k = 1; k < part->n_inputs; k++)
        learns = learns || part->inputs[k]->role == HKI_LEARNED;
    if (!learns)
        return call->dy;
    memcpy(aside, call->dy, (size_t)hki_count(&call->tensor->shape, call->batch) * sizeof *aside);
    copy_columns(call, i == 0, NULL, aside);
    return aside;
}

static void override_backward(const hki_call *call)
{
    hki_call f = part_call(call, 0), g = part_call(call, 1);
    size_t bytes = whole_bytes(call->tensor, call->batch);
    float *dx = call->scratch, *dy = (float *)((char *)call->scratch + bytes);
    f.scratch = g.scratch = (char *)call->scratch + 2 * bytes;
    f.dy = part_dy(call, 0, dy);
    hki_op_activate.backward(&f);
    g.dy = part_dy(call, 1, dy);
    g.dx[0] = call->dx[0] ? dx : NULL;
    hki_op_activate.backward(&g);
    if (call->dx[0])
        copy_columns(call, true, dx, call->dx[0]);
}

static hki_operands override_reads(const hk_tensor *y)
{
    return hki_op_activate.reads(hki_override_part(y, 0)) |
           hki_op_activate.reads(hki_override_part(y, 1));
}

static size_t override_saved(const hk_tensor *y, int64_t batch)
{
    return hki_op_activate.saved_bytes(hki_override_part(y, 0), batch) +
           hki_op_activate.saved_bytes(hki_override_part(y, 1), batch);
}

static size_t override_statistics(const hk_tensor *y)
{
    return hki_op_activate.statistics_bytes(hki_override_part(y, 0)) +
           hki_op_activate.statistics_bytes(hki_override_part(y, 1));
}

static size_t override_scratch(const hk_tensor *y, int64_t batch)
{
    size_t f = hki_op_activate.scratch_bytes(hki_override_part(y, 0), batch);
    size_t g = hki_op_activate.scratch_bytes(hki_override_part(y, 1), batch);
    return 2 * whole_bytes(y, batch) + (f > g ? f : g);
}

static double override_activity(const hki_call *call)
{
    hki_call f = part_call(call, 0), g = part_call(call, 1);
    double activity = hki_op_activate.activity(&f);
    return isnan(activity) ? hki_op_activate.activity(&g) : activity;
}

static void override_commit(const hki_call *call, double network_activity)
{
    for (int i = 0; i < 2; i++) {
        hki_call part = part_call(call, i);
        hki_op_activate.commit(&part, network_activity);
    }
}

static const hki_constant override_kept[] = {{"use", HKI_ACTIVATION, offsetof(override, uses[0])},
                                             {"other", HKI_ACTIVATION, offsetof(override, uses[1])},
                                             {0}};

static hk_tensor *override_again(const hk_tensor *like)
{
    const hki_use *uses = ((const override *)like->attributes)->uses;
    hk_tensor *x = like->inputs[0], *const *slots = like->inputs + 1;
    const int n = hki_slot_count(uses[0].plugin);
    if (hki_override_check(&uses[0], &uses[1]) ||
        /* the rest first: that there are as many as the second needs says that the first's are there */
        hki_check_slots(&uses[1], like, n + 2, like->n_inputs - n - 2, 1, &x->shape) ||
        hki_check_slots(&uses[0], like, 1, n, 1, &x->shape))
        return NULL;
    if (slots[n]->role != HKI_STATE ||
        !hki_same_shape(&slots[n]->shape, &HK_SHAPE(hki_channels(&x->shape))))
        return hki_fail_null(HK_BAD_SHAPE, "override: a mask %s for an input %s",
                             hki_shape_text(&slots[n]->shape), hki_shape_text(&x->shape));
    return hki_override_channels(x, &uses[0], slots, slots[n], &uses[1], slots + n + 1);
}

const hki_op hki_op_override = {.name = "override",
                                .operands = 2,
                                .optional = 2 * HK_MAX_SLOTS,
                                .attribute_bytes = sizeof(override),
                                .kept = override_kept,
                                .again = override_again,
                                .forward = override_forward,
                                .backward = override_backward,
                                .reads = override_reads,
                                .saved_bytes = override_saved,
                                .statistics_bytes = override_statistics,
                                .scratch_bytes = override_scratch,
                                .activity = override_activity,
                                .commit = override_commit};

hk_status hki_override_check(const hki_use *f, const hki_use *g)
{
    for (int i = 0; i < 2; i++) {
        const hk_plugin *plugin = (i ? g : f)->plugin;
        if (plugin->activation->traits & HK_ROWWISE || plugin->activation->channels_out)
            return hki_fail(
                HK_BAD_ARGUMENT,
                "activation %s mixes channels: it cannot be applied to selected channels",
                plugin->name);
    }
    return HK_OK;
}

hk_tensor *hki_override_channels(hk_tensor *x, const hki_use *f, hk_tensor *const *f_slots,
                                 hk_tensor *mask, const hki_use *g, hk_tensor *const *g_slots)
{
    const hki_use *const uses[] = {f, g};
    hk_tensor *const *const slots[] = {f_slots, g_slots};
    override m = {.uses = {*f, *g}};
    hk_tensor *inputs[HKI_MAX_INPUTS] = {x};
    int n = 1;
    for (int i = 0; i < 2; i++) {
        hk_tensor *part = &m.parts[i];
        size_t n_slots = (size_t)hki_slot_count(uses[i]->plugin);
        *part = (hk_tensor){.net = x->net,
                            .role = HKI_COMPUTED,
                            .shape = x->shape,
                            .layer = x->layer,
                            .op = &hki_op_activate,
                            .inputs = {x},
                            .n_inputs = 1 + (int)n_slots};
        memcpy(part->inputs + 1, slots[i], n_slots * sizeof *part->inputs);
        memcpy(inputs + n, slots[i], n_slots * sizeof *inputs);
        n += (int)n_slots;
        if (i == 0)
            inputs[n++] = mask;
    }
    hk_tensor *y = hki_compute(&hki_op_override, inputs, n, x->shape, &m);
    override *own = y ? y->attributes : NULL; /* a copy of m */
    for (int i = 0; own && i < 2; i++)
        own->parts[i].attributes = &own->uses[i];
    return y;
}
