/* Layer functions: each records an operation together with its parameters. */
#include "nn/nn.h"

#include <stdio.h>
#include <string.h>

#include "plugin/loader.h"

/* "LAYER.PART.SLOT", with room for the largest number behind a part. */
enum { MAX_PART = 32, MAX_SLOT = MAX_PART + 1 + HKI_MAX_PLUGIN_NAME + 1 };
_Static_assert(HKI_LAYER_NAME + MAX_SLOT <= HKI_MAX_TENSOR_NAME, "every slot has a name");

/* ---- Parameters -------------------------------------------------------------------------------------- */

static hk_tensor *layer_leaf(hk_net *net, int layer, hki_role role, const char *part,
                             hk_shape shape)
{
    char name[HKI_MAX_TENSOR_NAME];
    if ((size_t)snprintf(name, sizeof name, "%s.%s", hki_layer_name(net, layer), part) >=
        sizeof name)
        return hki_fail_null(HK_BAD_ARGUMENT, "the name %.64s... is too long", name);
    hk_tensor *leaf = hki_leaf(net, role, name, shape);
    if (leaf)
        leaf->layer = layer;
    return leaf;
}

static bool set_fill(hk_tensor *leaf, hki_fill fill)
{
    leaf->init = hki_alloc(sizeof fill);
    if (leaf->init)
        *(hki_fill *)leaf->init = fill;
    return leaf->init;
}

hk_tensor *hk_parameter(hk_net *net, const char *name, hk_shape shape, const char *init)
{
    hki_fill fill = {.kernel = 1, .groups = 1};
    if (hki_null_operand(__func__, net, name, init) ||
        hki_use_parse(HK_INITIALIZER, init, &fill.use))
        return NULL;
    hk_tensor *leaf = hki_leaf(net, HKI_LEARNED, name, shape);
    return leaf && set_fill(leaf, fill) ? leaf : NULL;
}

static bool slots_are_free(const hk_net *net, int layer, const char *part, const hk_plugin *plugin)
{
    char full[HKI_MAX_TENSOR_NAME];
    for (int i = 0; i < hki_slot_count(plugin); i++) {
        snprintf(full, sizeof full, "%s.%s.%s", hki_layer_name(net, layer), part,
                 plugin->slots[i].name);
        if (hki_find_tensor(net, full))
            return false;
    }
    return true;
}

/* The leaves of a plugin's slots, named layer.part.slot: "conv1.act.slope". A second activation of
 * the same layer is "act2". slots must have HK_MAX_SLOTS places. */
static bool make_slots(hk_net *net, int layer, const char *part, const hki_use *use, int64_t rows,
                       int64_t channels, hk_tensor **slots)
{
    char name[MAX_SLOT], own[MAX_PART];
    snprintf(own, sizeof own, "%s", part);
    for (int again = 2; !slots_are_free(net, layer, own, use->plugin); again++)
        snprintf(own, sizeof own, "%s%d", part, again);
    for (int i = 0; i < hki_slot_count(use->plugin); i++) {
        const hk_slot *slot = &use->plugin->slots[i];
        snprintf(name, sizeof name, "%s.%s", own, slot->name);
        slots[i] = layer_leaf(net, layer, slot->role == HK_LEARNED ? HKI_LEARNED : HKI_STATE, name,
                              HK_SHAPE(hki_slot_length(slot, rows, channels)));
        if (!slots[i])
            return false;
        slots[i]->no_decay = slot->flags & HK_NO_DECAY;
        slots[i]->low = (float)slot->low;
        slots[i]->high = (float)slot->high;
    }
    return true;
}

/* ---- Convolution and dense layers ----------------------------------------------------------------------- */

typedef struct layer_spec {
    const char *name, *prefix, *init, *weight_norm;
    double drop_connect;
    hk_shape shape; /* of the weight */
    int64_t kernel, groups;
    bool has_bias;
} layer_spec;

typedef struct layer_leaves {
    int layer;
    hk_tensor *weight, *bias, *applied; /* applied: the weight normalized, partly dropped */
} layer_leaves;

/* By the layer's own spec, else the net's. */
static bool normalize_weight(hk_net *net, const char *spec, layer_leaves *leaves)
{
    hki_use use = net->choices->weight_norm;
    hk_tensor *slots[HK_MAX_SLOTS];
    const hk_shape *shape = &leaves->weight->shape;
    if (spec && hki_use_parse(HK_NORMALIZATION, spec, &use))
        return false;
    if (!strcmp(use.plugin->name, "none"))
        return true;
    if (!make_slots(net, leaves->layer, "weight_norm", &use, hki_rows(shape, 1),
                    hki_channels(shape), slots))
        return false;
    leaves->applied = hki_normalize_weight(leaves->weight, &use, slots);
    return leaves->applied;
}

/* Weight, then bias: hk_norm relies on the bias being recorded just before its layer. */
static bool make_leaves(hk_net *net, const layer_spec *spec, layer_leaves *out)
{
    hki_fill fill = {
        .use = net->choices->initializer, .kernel = spec->kernel, .groups = spec->groups};
    if (spec->init && hki_use_parse(HK_INITIALIZER, spec->init, &fill.use))
        return false;
    *out = (layer_leaves){.layer = hki_layer_add(net, spec->name, spec->prefix)};
    if (out->layer < 0 ||
        !(out->weight = layer_leaf(net, out->layer, HKI_LEARNED, "weight", spec->shape)))
        return false;
    out->applied = out->weight;
    if (!normalize_weight(net, spec->weight_norm, out))
        return false;
    if (spec->drop_connect != 0 &&
        !(out->applied = hki_drop_connect(out->applied, spec->drop_connect)))
        return false;
    if (spec->has_bias &&
        !(fill.bias = out->bias = layer_leaf(net, out->layer, HKI_LEARNED, "bias",
                                             HK_SHAPE(hki_channels(&spec->shape)))))
        return false;
    return set_fill(out->weight, fill);
}

static hk_tensor *finish_layer(hk_tensor *result, const layer_leaves *leaves)
{
    if (!result)
        return NULL;
    ((hki_fill *)leaves->weight->init)->result = result;
    result->layer = leaves->layer;
    return result;
}

hk_tensor *hk_conv_with(hk_conv_options o)
{
    if (hki_null_operand("conv", o.x))
        return NULL;
    int groups = o.groups ? o.groups : 1;
    int64_t channels = hki_channels(&o.x->shape);
    if (o.filters < 1 || o.kernel < 1 || groups < 1 || channels % groups)
        return hki_fail_null(HK_BAD_ARGUMENT,
                             "conv: %d filters of size %d in %d groups over %lld channels",
                             o.filters, o.kernel, groups, (long long)channels);
    hk_window window = {.stride = o.stride,
                        .dilation = o.dilation,
                        .groups = groups,
                        .padding = o.pad ? HK_EXPLICIT : o.padding,
                        .pad = o.pad};
    layer_spec spec = {.name = o.name,
                       .prefix = "conv",
                       .init = o.init,
                       .weight_norm = o.weight_norm,
                       .drop_connect = o.drop_connect,
                       .has_bias = !o.no_bias,
                       .shape = HK_SHAPE(o.kernel, o.kernel, channels / groups, o.filters),
                       .kernel = (int64_t)o.kernel * o.kernel,
                       .groups = groups};
    layer_leaves leaves;
    if (!make_leaves(o.x->net, &spec, &leaves))
        return NULL;
    return finish_layer(hk_conv2d(o.x, leaves.applied, leaves.bias, window), &leaves);
}

hk_tensor *hk_linear_with(hk_linear_options o)
{
    if (hki_null_operand("linear", o.x))
        return NULL;
    hk_tensor *x = o.x->shape.ndim > 2 ? hk_flatten(o.x) : o.x;
    if (!x)
        return NULL;
    if (o.units < 1)
        return hki_fail_null(HK_BAD_ARGUMENT, "linear: %d units", o.units);
    layer_spec spec = {.name = o.name,
                       .prefix = "fc",
                       .init = o.init,
                       .weight_norm = o.weight_norm,
                       .drop_connect = o.drop_connect,
                       .has_bias = !o.no_bias,
                       .shape = HK_SHAPE(hki_channels(&x->shape), o.units),
                       .kernel = 1,
                       .groups = 1};
    layer_leaves leaves;
    if (!make_leaves(x->net, &spec, &leaves))
        return NULL;
    return finish_layer(hki_linear(x, leaves.applied, leaves.bias), &leaves);
}

/* ---- Activation and normalization ------------------------------------------------------------------------ */

/* The layer's own state, a number for each channel: "conv1.act.swapped", then "conv1.act2.swapped". */
static hk_tensor *make_mask(hk_net *net, int layer, int64_t channels)
{
    char part[MAX_PART] = "act.swapped", full[HKI_MAX_TENSOR_NAME];
    for (int again = 2;; again++) {
        snprintf(full, sizeof full, "%s.%s", hki_layer_name(net, layer), part);
        if (!hki_find_tensor(net, full))
            return layer_leaf(net, layer, HKI_STATE, part, HK_SHAPE(channels));
        snprintf(part, sizeof part, "act%d.swapped", again);
    }
}

hk_tensor *hki_record_override(hk_tensor *x, const hki_use *f, hk_tensor *const *f_slots,
                               const hki_use *g)
{
    hk_tensor *g_slots[HK_MAX_SLOTS];
    int64_t channels = hki_channels(&x->shape);
    if (hki_override_check(f, g))
        return NULL;
    hk_tensor *mask = make_mask(x->net, x->layer, channels);
    if (!mask || !make_slots(x->net, x->layer, "act.other", g, 1, channels, g_slots))
        return NULL;
    return hki_override_channels(x, f, f_slots, mask, g, g_slots);
}

/* The net's choice, unless the call gives one, unless the net's spec names the layer. */
hk_tensor *hk_act_with(hk_act_options o)
{
    hk_tensor *slots[HK_MAX_SLOTS];
    if (hki_null_operand("act", o.x))
        return NULL;
    const hki_choices *choices = o.x->net->choices;
    const hki_override *own = hki_find_override(choices, hki_layer_name(o.x->net, o.x->layer));
    hki_act_choice act = own ? own->act : choices->activation;
    if (!own && o.use && hki_act_choice_parse(o.use, strlen(o.use), &act))
        return NULL;
    if (!make_slots(o.x->net, o.x->layer, "act", &act.use, 1, hki_channels(&o.x->shape), slots))
        return NULL;
    return act.other.plugin ? hki_record_override(o.x, &act.use, slots, &act.other)
                            : hki_activate(o.x, &act.use, slots);
}

/* A layer's bias just before a normalization has no effect: take it out again. */
static void drop_bias(hk_tensor *x)
{
    if (!hki_is_product(x) || x->n_inputs != 3 || x->inputs[2]->layer < 0 ||
        x->inputs[2]->id != x->id - 1 || hki_readers(x)) /* something else reads the layer */
        return;
    hk_tensor *weight = x->inputs[1];
    while (weight->op) /* normalized, partly dropped */
        weight = weight->inputs[0];
    hki_fill *fill = weight->init;
    if (fill)
        fill->bias = NULL;
    x->inputs[2]->role = HKI_DROPPED;
    x->inputs[2] = NULL;
    x->n_inputs = 2;
}

hk_tensor *hk_norm_with(hk_norm_options o)
{
    hki_use use;
    hk_tensor *slots[HK_MAX_SLOTS];
    if (hki_null_operand("norm", o.x))
        return NULL;
    if (!o.use)
        use = o.x->net->choices->normalization;
    else if (hki_use_parse(HK_NORMALIZATION, o.use, &use))
        return NULL;
    o.x->net->choices->has_norm = true;
    if (!strcmp(use.plugin->name, "none"))
        return o.x;
    drop_bias(o.x);
    if (!make_slots(o.x->net, o.x->layer, "norm", &use, 1, hki_channels(&o.x->shape), slots))
        return NULL;
    return hki_normalize(o.x, &use, slots);
}

/* ---- Pooling ------------------------------------------------------------------------------------------------ */

static hk_window pool_window(const hk_pool_options *o)
{
    return (hk_window){.stride = o->stride ? o->stride : o->size,
                       .padding = o->pad ? HK_EXPLICIT : o->padding,
                       .pad = o->pad};
}

hk_tensor *hk_maxpool_with(hk_pool_options o)
{
    return hk_maxpool2d(o.x, o.size, pool_window(&o));
}

hk_tensor *hk_avgpool_with(hk_pool_options o)
{
    return hk_avgpool2d(o.x, o.size, pool_window(&o));
}
