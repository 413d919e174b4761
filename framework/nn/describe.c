/* What a net consists of and what its steps take, for printing: a row for each operation. */
#include "nn/nn.h"

#include <stdio.h>
#include <string.h>

#include "engine/engine.h"
#include "graph/fuse.h"
#include "plugin/loader.h"

/* Between a layer's weight and the layer: counted as part of it. */
static bool changes_weight(const hk_tensor *t)
{
    return t->op == &hki_op_normalize_weight || t->op == &hki_op_drop_connect;
}

static int64_t learned_inputs(const hk_tensor *t)
{
    int64_t count = 0;
    for (int i = 0; i < t->n_inputs; i++)
        if (t->inputs[i]->role == HKI_LEARNED)
            count += hki_count(&t->inputs[i]->shape, 1);
        else if (changes_weight(t->inputs[i]))
            count += learned_inputs(t->inputs[i]);
    return count;
}

/* Per sample. */
static int64_t multiply_adds(const hk_tensor *t)
{
    if (t->op == &hki_op_conv2d)
        return hki_rows(&t->shape, 1) * hki_count(&t->inputs[1]->shape, 1);
    if (t->op == &hki_op_linear)
        return hki_count(&t->shape, 1) * hki_channels(&t->inputs[0]->shape);
    return 0;
}

enum { MAX_KIND = 160 }; /* "conv 16 3x3 / 2, 4 groups", "relu~elu" */
_Static_assert(2 * HKI_MAX_PLUGIN_NAME + 2 <= MAX_KIND, "two activations in one layer");

static void name_kind(const hk_tensor *t, char *text, size_t size)
{
    if (t->op == &hki_op_conv2d) {
        const hki_conv *c = t->attributes;
        int used = snprintf(text, size, "conv %d %dx%d", c->k, c->kh, c->kw);
        if (c->sh > 1)
            used += snprintf(text + used, size - (size_t)used, " / %d", c->sh);
        if (c->groups > 1)
            snprintf(text + used, size - (size_t)used, ", %d groups", c->groups);
    } else if (t->op == &hki_op_linear) {
        snprintf(text, size, "linear %lld", (long long)hki_channels(&t->shape));
    } else if (t->op == &hki_op_activate || t->op == &hki_op_normalize) {
        snprintf(text, size, "%s", hki_use_of(t)->plugin->name);
    } else if (hki_is_channel_override(t)) {
        snprintf(text, size, "%s~%s", hki_use_of(t)->plugin->name,
                 hki_use_of(hki_override_part(t, 1))->plugin->name);
    } else {
        snprintf(text, size, "%s", t->op->name);
    }
}

static const char *layer_of(const hk_tensor *t)
{
    return t->layer < 0 ? "" : hki_layer_name(t->net, t->layer);
}

void hk_net_each_layer(const hk_net *net, void (*each)(const hk_layer_info *, void *user),
                       void *user)
{
    if (hki_null(net, each))
        return;
    for (int id = 0; id < net->n_tensors; id++) {
        const hk_tensor *t = net->tensors[id];
        char kind[MAX_KIND];
        if (t->role != HKI_COMPUTED || t->op->is_view || changes_weight(t))
            continue;
        name_kind(t, kind, sizeof kind);
        char *activation = t->op == &hki_op_activate ? hki_use_spec(hki_use_of(t)) : NULL;
        hk_layer_info info = {.name = layer_of(t),
                              .kind = kind,
                              .output = t->shape,
                              .parameters = learned_inputs(t),
                              .multiply_adds = multiply_adds(t),
                              .bytes = hki_count(&t->shape, 1) * (int64_t)sizeof(float),
                              .activation = activation};
        each(&info, user);
        hki_free(activation);
    }
}

/* Each operand, result and gradient once. */
static int64_t moved_once(const hki_call *call, bool back)
{
    const hk_tensor *y = call->tensor;
    const hki_operands reads = back && y->op->reads ? y->op->reads(y) : 0;
    int64_t n = hki_count(&y->shape, call->batch) * (1 + (reads & HKI_OUTPUT_BIT ? 1 : 0));
    for (int i = 0; i < y->n_inputs; i++) {
        const int64_t x = hki_count(&y->inputs[i]->shape, call->batch);
        n += (!back || reads & HKI_INPUT_BIT(i) ? x : 0) + (back && call->dx[i] ? x : 0);
    }
    return n;
}

/* Back, a product is computed once for each operand whose gradient is wanted. */
static void hand_on(void *user, const hki_call *call, bool back, double seconds)
{
    const hk_plan *plan = user;
    const hk_tensor *parts[2 * HKI_MAX_FUSED] = {call->tensor};
    int n = call->source ? hki_fuser.parts(call->source->tensor, parts) : 0;
    n += hki_fuser.parts(call->tensor, parts + n);
    char kind[2 * HKI_MAX_FUSED * (MAX_KIND + 2)]; /* "conv 16 3x3, batch_norm, add, relu" */
    size_t used = 0;
    int64_t products = 0;
    const hk_tensor *first = parts[0];
    if (first->op->is_view)
        return;
    for (int i = 0; i < (n ? n : 1); i++) {
        used += i ? (size_t)snprintf(kind + used, sizeof kind - used, ", ") : 0;
        name_kind(parts[i], kind + used, sizeof kind - used);
        used += strlen(kind + used);
        products += multiply_adds(parts[i]);
    }
    int64_t passes = back ? (call->dx[0] != NULL) + (call->dx[1] != NULL) : 1;
    const int64_t floats =
        (call->tensor->op->moves ? call->tensor->op->moves : moved_once)(call, back);
    hk_step_info info = {.layer = layer_of(first),
                         .kind = kind,
                         .back = back,
                         .seconds = seconds,
                         .multiply_adds = products * call->batch * passes,
                         .bytes = floats * (int64_t)sizeof(float)};
    plan->profile(&info, plan->profile_user);
}

void hk_plan_profile(hk_plan *plan, void (*each)(const hk_step_info *, void *user), void *user)
{
    if (hki_null(plan))
        return;
    plan->profile = each;
    plan->profile_user = user;
    hki_plan_watch(plan, each ? hand_on : NULL, plan);
}
