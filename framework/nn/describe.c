/* What a net consists of, for printing: a row for each operation with its costs. */
#include "nn/nn.h"

#include <stdio.h>
#include <string.h>

#include "engine/engine.h"

static int64_t learned_inputs(const hk_tensor *t)
{
    int64_t count = 0;
    for (int i = 0; i < t->n_inputs; i++)
        if (t->inputs[i]->role == HKI_LEARNED)
            count += hki_count(&t->inputs[i]->shape, 1);
        else if (t->inputs[i]->op == &hki_op_normalize_weight)
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
    } else {
        snprintf(text, size, "%s", t->op->name);
    }
}

void hk_net_each_layer(const hk_net *net, void (*each)(const hk_layer_info *, void *user),
                       void *user)
{
    for (int id = 0; id < net->n_tensors; id++) {
        const hk_tensor *t = net->tensors[id];
        char kind[160];
        if (t->role != HKI_COMPUTED || t->op->is_view || t->op == &hki_op_normalize_weight)
            continue;
        name_kind(t, kind, sizeof kind);
        hk_layer_info info = {.name = t->layer < 0 ? "" : hki_layer_name(net, t->layer),
                              .kind = kind,
                              .output = t->shape,
                              .parameters = learned_inputs(t),
                              .multiply_adds = multiply_adds(t),
                              .bytes = hki_count(&t->shape, 1) * (int64_t)sizeof(float)};
        each(&info, user);
    }
}
