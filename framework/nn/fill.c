/* First values: what initializers draw for weights, and what plugins put into their slots. */
#include "nn/nn.h"

#include <string.h>

#include "engine/engine.h"

/* The key of a tensor's random numbers: by its name, so that a learned slot more or less elsewhere
 * leaves every other tensor's start as it was. (FNV-1a, Fowler, Noll, Vo 1991.) */
static uint64_t name_key(const hk_net *net, const char *name)
{
    uint64_t hash = 0xcbf29ce484222325u;
    for (; *name; name++)
        hash = (hash ^ (unsigned char)*name) * 0x100000001b3u;
    return hki_key(net->seed, HKI_STREAM_INIT, hash, 0);
}

/* The activation that follows a layer, looking through normalization, pooling, addition ...; NULL
 * where none does. */
static hk_status find_following(const hk_tensor *from, const hki_use **out)
{
    const hk_net *net = from->net;
    bool *follows = hki_alloc_array((size_t)net->n_tensors, sizeof *follows);
    *out = NULL;
    if (!follows)
        return HK_NO_MEMORY;
    follows[from->id] = true;
    for (int id = from->id + 1; id < net->n_tensors && !*out; id++) {
        const hk_tensor *t = net->tensors[id];
        bool reached = false;
        for (int i = 0; i < t->n_inputs; i++)
            reached = reached || follows[t->inputs[i]->id];
        if (reached && hki_is_activation(t))
            *out = hki_use_of(t);
        follows[id] = reached && t->op != &hki_op_conv2d && t->op != &hki_op_linear;
    }
    hki_free(follows);
    return HK_OK;
}

static bool is_first_layer(const hk_tensor *result)
{
    const hk_tensor *x = result ? result->inputs[0] : NULL;
    while (x && x->op == &hki_op_reshape)
        x = x->inputs[0];
    return x && x->role == HKI_INPUT;
}

/* The gain is found once: later the net may have gone on. */
static hk_status find_gain(hki_fill *fill)
{
    const hki_use *next = NULL;
    hk_status status = HK_OK;
    if (fill->gain == 0 && fill->result)
        status = find_following(fill->result, &next);
    if (fill->gain == 0 && !status)
        fill->gain = next ? hki_gain(next) : 1;
    return status;
}

hk_status hki_draw_weight(const hk_tensor *t, uint64_t key, float *w, float *bias)
{
    hki_fill *fill = t->init;
    hk_status status = find_gain(fill);
    if (status)
        return status;
    const hk_initializer *initializer = fill->use.plugin->initializer;
    hk_weight weight = {.columns = hki_channels(&t->shape),
                        .kernel = fill->kernel,
                        .gain = fill->gain,
                        .first_layer = is_first_layer(fill->result),
                        .key = key,
                        .w = w};
    weight.count = hki_count(&t->shape, 1);
    weight.rows = weight.count / weight.columns;
    weight.fan_in = weight.rows;
    weight.fan_out = weight.columns / fill->groups * weight.kernel;
    if (initializer->traits & HK_FILLS_BIAS && fill->bias)
        weight.bias = bias;
    float *slots[HK_MAX_SLOTS] = {0};
    hk_context context = {.rows = weight.rows,
                          .channels = weight.columns,
                          .key = weight.key,
                          .params = fill->use.params,
                          .slots = slots};
    const char *refusal = initializer->fill(&context, &weight);
    if (refusal)
        return hki_fail(HK_BAD_ARGUMENT, "initializer %s of %s: %s", fill->use.plugin->name,
                        t->name, refusal);
    return HK_OK;
}

/* Slots of one use of a plugin: the table's values, then what the plugin itself writes. The
 * normalization of a weight, which was filled before, sees it, outside training. */
static void fill_slots(hk_net *net, const hk_tensor *y)
{
    const hki_use *use = hki_use_of(y);
    float *slots[HK_MAX_SLOTS] = {0};
    if (y->n_inputs < 2 || y->inputs[1]->filled)
        return;
    for (int i = 1; i < y->n_inputs; i++) {
        hk_tensor *slot = y->inputs[i];
        for (int64_t j = 0; j < hki_count(&slot->shape, 1); j++)
            slot->value[j] = (float)use->plugin->slots[i - 1].value;
        slots[i - 1] = slot->value;
        slot->filled = true;
    }
    hki_values_changed(net);
    const hk_shape *shape = &y->inputs[0]->shape;
    hk_context context = {.rows = hki_rows(shape, 1),
                          .channels = hki_channels(shape),
                          .rows_per_sample = hki_rows(shape, 1),
                          .params = use->params,
                          .slots = slots,
                          .key = name_key(net, y->inputs[1]->name)};
    if (use->plugin->start)
        use->plugin->start(&context);
    if (y->op == &hki_op_normalize_weight && use->plugin->normalization->update)
        use->plugin->normalization->update(&context, NULL, y->inputs[0]->value);
}

static hk_status fill_weight(hk_net *net, hk_tensor *t)
{
    const hk_tensor *bias = ((const hki_fill *)t->init)->bias;
    hk_status status =
        hki_draw_weight(t, name_key(net, t->name), t->value, bias ? bias->value : NULL);
    t->filled = !status;
    hki_values_changed(net);
    return status;
}

/* Two threads may make the first plan of a net at once, to predict. */
hk_status hki_net_fill(hk_net *net)
{
    pthread_mutex_lock(&net->choices->lock);
    hk_status status = hki_check_overrides(net);
    for (int id = 0; id < net->n_tensors && !status; id++) {
        hk_tensor *t = net->tensors[id];
        if (t->op == &hki_op_activate || t->op == &hki_op_normalize ||
            t->op == &hki_op_normalize_weight) {
            fill_slots(net, t);
        } else if (t->op == &hki_op_override) {
            fill_slots(net, hki_override_part(t, 0));
            fill_slots(net, hki_override_part(t, 1));
        } else if (t->role == HKI_LEARNED && t->init && !t->filled) {
            status = fill_weight(net, t);
        }
    }
    pthread_mutex_unlock(&net->choices->lock);
    return status;
}

hk_status hk_net_redraw(hk_net *net, uint64_t seed)
{
    if (hki_null(net))
        return HK_BAD_ARGUMENT;
    net->seed = seed;
    hki_values_changed(net);
    for (int id = 0; id < net->n_tensors; id++) {
        hk_tensor *t = net->tensors[id];
        if (t->role != HKI_LEARNED && t->role != HKI_STATE)
            continue;
        t->filled = false;
        if (!t->init)
            memset(t->value, 0, (size_t)hki_count(&t->shape, 1) * sizeof *t->value);
    }
    return hki_net_fill(net);
}
