/* A graph written as JSON, and recorded again from it. */
#include "nn/graph_json.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/json.h"
#include "nn/store.h"

/* ---- Writing ------------------------------------------------------------------------------------------- */

static const char *const leaf_words[] = {[HKI_INPUT] = "input",
                                         [HKI_FIXED] = "constant",
                                         [HKI_LEARNED] = "parameter",
                                         [HKI_STATE] = "state",
                                         [HKI_DROPPED] = "unused"};
enum { LEAF_WORDS = sizeof leaf_words / sizeof *leaf_words };

const char *hki_constant_name(int place, char out[HKI_CONSTANT_NAME])
{
    snprintf(out, HKI_CONSTANT_NAME, HKI_CONSTANT_PREFIX "%d", place);
    return out;
}

hk_tensor **hki_graph_tensors(const hk_tensor *logits, int *n)
{
    const hk_net *net = logits->net;
    hk_tensor **kept = hki_alloc_array((size_t)net->n_tensors, sizeof *kept);
    bool *read = hki_alloc_array((size_t)net->n_tensors, sizeof *read);
    *n = 0;
    for (int id = 0; kept && read && id <= logits->id; id++)
        for (int i = 0; i < net->tensors[id]->n_inputs; i++)
            read[net->tensors[id]->inputs[i]->id] = true;
    for (int id = 0; kept && read && id < net->n_tensors; id++)
        if (id <= logits->id || read[id])
            kept[(*n)++] = net->tensors[id];
    if (!read) {
        hki_free(kept);
        kept = NULL;
    }
    hki_free(read);
    return kept;
}

static json_t *shape_json(const hk_shape *shape)
{
    json_t *dims = json_array();
    for (int i = 0; i < shape->ndim; i++)
        json_array_append_new(dims, json_integer(shape->dims[i]));
    return dims;
}

/* Where tensors stand in the file, and whether a member could not be added: no memory. */
typedef struct writing {
    int *place;
    bool failed;
} writing;

static void add(writing *w, json_t *object, const char *key, json_t *value)
{
    w->failed = json_object_set_new(object, key, value) != 0 || w->failed;
}

static json_t *use_json(const hki_use *use)
{
    char *spec = hki_use_spec(use);
    json_t *text = spec ? json_string(spec) : NULL;
    hki_free(spec);
    return text;
}

static json_t *constant_json(const hki_constant *c, const void *attributes)
{
    const void *at = (const char *)attributes + c->offset;
    switch (c->form) {
    case HKI_INTEGER: return json_integer(*(const int *)at);
    case HKI_REAL: return json_real(*(const double *)at);
    case HKI_YES_NO: return json_boolean(*(const bool *)at);
    default: return use_json(at);
    }
}

/* How a weight is drawn: its initializer, and the places of the bias and of the layer's result. */
static json_t *fill_json(writing *w, const hki_fill *fill)
{
    json_t *init = json_object();
    add(w, init, "initializer", use_json(&fill->use));
    add(w, init, "kernel", json_integer(fill->kernel));
    add(w, init, "groups", json_integer(fill->groups));
    if (fill->bias)
        add(w, init, "bias", json_integer(w->place[fill->bias->id]));
    if (fill->result)
        add(w, init, "result", json_integer(w->place[fill->result->id]));
    return init;
}

static void add_leaf(writing *w, json_t *node, const hk_tensor *t)
{
    if (t->name)
        add(w, node, "name", json_string(t->name));
    if (t->no_decay)
        add(w, node, "no_decay", json_true());
    if (t->frozen)
        add(w, node, "frozen", json_true());
    if (t->low < t->high) {
        add(w, node, "low", json_real((double)t->low));
        add(w, node, "high", json_real((double)t->high));
    }
    if (t->role == HKI_LEARNED && t->init)
        add(w, node, "init", fill_json(w, t->init));
}

static json_t *tensor_json(writing *w, const hk_tensor *t)
{
    json_t *node = json_object(), *inputs = json_array();
    const bool computed = t->role == HKI_COMPUTED, unused = t->role == HKI_DROPPED;
    add(w, node, "op", json_string(computed ? t->op->name : leaf_words[t->role]));
    add(w, node, "shape", shape_json(unused ? &HK_SHAPE(1) : &t->shape));
    if (t->layer >= 0 && !unused)
        add(w, node, "layer", json_integer(t->layer));
    for (int i = 0; i < t->n_inputs; i++)
        json_array_append_new(inputs, json_integer(w->place[t->inputs[i]->id]));
    if (computed)
        add(w, node, "inputs", json_incref(inputs));
    else if (!unused)
        add_leaf(w, node, t);
    for (const hki_constant *c = computed ? t->op->kept : NULL; c && c->name; c++)
        add(w, node, c->name, constant_json(c, t->attributes));
    json_decref(inputs);
    return node;
}

hk_status hki_graph_write(hk_tensor *const *tensors, int n, const hk_tensor *logits, char **out)
{
    const hki_choices *choices = logits->net->choices;
    writing w = {.place = hki_alloc_array((size_t)logits->net->n_tensors, sizeof *w.place)};
    hk_status status = HK_OK;
    *out = NULL;
    if (!w.place)
        return HK_NO_MEMORY;
    json_t *graph = json_object(), *layers = json_array(), *nodes = json_array();
    for (int i = 0; i < n; i++)
        w.place[tensors[i]->id] = i;
    for (int i = 0; i < choices->n_layers; i++)
        json_array_append_new(layers, json_string(choices->layers[i]));
    for (int i = 0; i < n && !status; i++)
        if (tensors[i]->role == HKI_COMPUTED && !tensors[i]->op->again)
            status = hki_fail(HK_BAD_ARGUMENT,
                              "a net with the operation \"%s\" before its output cannot be saved",
                              tensors[i]->op->name);
        else
            json_array_append_new(nodes, tensor_json(&w, tensors[i]));
    add(&w, graph, "version", json_integer(HKI_GRAPH_VERSION));
    add(&w, graph, "seed", json_integer((json_int_t)logits->net->seed));
    add(&w, graph, "output", json_integer(w.place[logits->id]));
    add(&w, graph, "layers", layers);
    add(&w, graph, "tensors", nodes);
    if (!status && (w.failed || !(*out = hki_json_text(graph))))
        status = hki_fail(HK_NO_MEMORY, "out of memory for the text of the graph");
    json_decref(graph);
    hki_free(w.place);
    return status;
}

/* ---- Reading ------------------------------------------------------------------------------------------- */

/* A graph being recorded: all leaves first, which may stand behind what reads them. */
typedef struct reading {
    const char *path;
    const hki_st_file *file;
    json_t *nodes;
    int n, at; /* the node at hand */
    hk_net *net;
    hk_tensor **made; /* [n], by place */
} reading;

static hk_status wrong(const reading *r, const char *what)
{
    return hki_fail(HK_BAD_DATA, "%s: tensor %d of its graph: %s", r->path, r->at, what);
}

/* A whole number of an object, `otherwise` where it is absent, INT_MIN where it is none. */
static int int_of(const json_t *object, const char *key, int otherwise)
{
    const json_t *value = json_object_get(object, key);
    if (!value)
        return otherwise;
    json_int_t number = json_integer_value(value);
    return json_is_integer(value) && number > INT_MIN && number <= INT_MAX ? (int)number : INT_MIN;
}

static hk_status read_shape(const reading *r, const json_t *node, hk_shape *out)
{
    const json_t *dims = json_object_get(node, "shape");
    *out = (hk_shape){.ndim = (int)json_array_size(dims)};
    if (!json_is_array(dims) || json_array_size(dims) > HK_MAX_DIMS)
        return wrong(r, "its shape is not a list of at most 8 numbers");
    for (int i = 0; i < out->ndim; i++) {
        const json_t *dim = json_array_get(dims, (size_t)i);
        if (!json_is_integer(dim))
            return wrong(r, "its shape is not a list of whole numbers");
        out->dims[i] = json_integer_value(dim);
    }
    return HK_OK;
}

static hk_status read_use(const reading *r, const json_t *spec, hk_kind kind, hki_use *out)
{
    const char *text = json_string_value(spec);
    if (!text || strlen(text) >= HKI_MAX_SPEC)
        return wrong(r, "a plugin's spec is not a text");
    if (strchr(text, '/'))
        return wrong(r, "it names a plugin by its path; a file must not choose code to load");
    return hki_use_parse(kind, text, out);
}

/* The file must have what a kept leaf needs. */
static hk_status check_stored(const reading *r, const hk_shape *shape, hki_role role,
                              const char *name)
{
    char own[HKI_CONSTANT_NAME];
    if (role == HKI_FIXED)
        name = hki_constant_name(r->at, own);
    const hki_st_tensor *found = name ? hki_store_find(r->file, name) : NULL;
    if (!found)
        return hki_fail(HK_BAD_DATA, "%s: has no values for tensor %d of its graph, %s", r->path,
                        r->at, name ? name : "which has no name");
    char text[HKI_STORED_TEXT];
    if (!hki_stored_fits(found, shape, text))
        return hki_fail(HK_BAD_DATA, "%s: tensor %s has shape %s, its graph says %s", r->path, name,
                        text, hki_shape_text(shape));
    return HK_OK;
}

static hk_status read_leaf(reading *r, const json_t *node, hki_role role)
{
    hk_shape shape;
    const char *name = json_string_value(json_object_get(node, "name"));
    hk_status status = read_shape(r, node, &shape);
    if (!status && (role == HKI_FIXED || role == HKI_LEARNED || role == HKI_STATE))
        status = check_stored(r, &shape, role, name);
    if (status)
        return status;
    hk_tensor *leaf = hki_leaf(r->net, role, name, role == HKI_DROPPED ? HK_SHAPE(1) : shape);
    if (!leaf)
        return hk_last_status();
    leaf->no_decay = json_is_true(json_object_get(node, "no_decay"));
    leaf->frozen = json_is_true(json_object_get(node, "frozen"));
    leaf->low = (float)json_real_value(json_object_get(node, "low"));
    leaf->high = (float)json_real_value(json_object_get(node, "high"));
    leaf->filled = true; /* when the values follow, all of which are there */
    r->made[r->at] = leaf;
    return HK_OK;
}

static hk_status read_constant(const reading *r, const json_t *node, const hki_constant *c,
                               void *attributes)
{
    void *at = (char *)attributes + c->offset;
    const json_t *value = json_object_get(node, c->name);
    switch (c->form) {
    case HKI_INTEGER: *(int *)at = int_of(node, c->name, INT_MIN); break;
    case HKI_REAL: *(double *)at = json_number_value(value); break;
    case HKI_YES_NO: *(bool *)at = json_is_true(value); break;
    default:
        return read_use(r, value, c->form == HKI_ACTIVATION ? HK_ACTIVATION : HK_NORMALIZATION, at);
    }
    bool given = c->form == HKI_YES_NO ? json_is_boolean(value) : json_is_number(value);
    return given && (c->form != HKI_INTEGER || *(int *)at != INT_MIN)
               ? HK_OK
               : hki_fail(HK_BAD_DATA, "%s: tensor %d of its graph: \"%s\" is not a %s", r->path,
                          r->at, c->name, c->form == HKI_YES_NO ? "truth value" : "number");
}

static hk_status read_inputs(const reading *r, const json_t *node, hk_tensor *like)
{
    const json_t *inputs = json_object_get(node, "inputs");
    like->n_inputs = (int)json_array_size(inputs);
    if (!json_is_array(inputs) || like->n_inputs < 1 || json_array_size(inputs) > HKI_MAX_INPUTS)
        return wrong(r, "it has no list of inputs");
    for (int i = 0; i < like->n_inputs; i++) {
        const json_t *place = json_array_get(inputs, (size_t)i);
        const json_int_t at = json_integer_value(place);
        if (!json_is_integer(place) || at < 0 || at >= r->n || !r->made[at])
            return wrong(r, "an input is neither a leaf nor computed before it");
        if (r->made[at]->role == HKI_DROPPED)
            return wrong(r, "an input is an unused tensor");
        like->inputs[i] = r->made[at];
    }
    return HK_OK;
}

static hk_status read_operation(reading *r, const json_t *node, const hki_op *op)
{
    hk_tensor like = {.net = r->net, .role = HKI_COMPUTED, .op = op};
    hk_status status = read_shape(r, node, &like.shape);
    if (!status)
        status = read_inputs(r, node, &like);
    if (!status && (like.n_inputs < op->operands || like.n_inputs > op->operands + op->optional))
        status = wrong(r, "its operation takes another number of inputs");
    if (status)
        return status;
    like.attributes = op->attribute_bytes ? hki_alloc(op->attribute_bytes) : NULL;
    if (op->attribute_bytes && !like.attributes)
        return HK_NO_MEMORY;
    for (const hki_constant *c = op->kept; c && c->name && !status; c++)
        status = read_constant(r, node, c, like.attributes);
    hk_tensor *made = status ? NULL : op->again(&like);
    hki_free(like.attributes);
    if (!made)
        return status ? status : hk_last_status();
    if (!hki_same_shape(&made->shape, &like.shape))
        return hki_fail(HK_BAD_DATA, "%s: tensor %d of its graph is %s, the file says %s", r->path,
                        r->at, hki_shape_text(&made->shape), hki_shape_text(&like.shape));
    r->made[r->at] = made;
    return HK_OK;
}

/* Leaves, or operations. */
static hk_status read_tensors(reading *r, bool leaves)
{
    hk_status status = HK_OK;
    for (r->at = 0; r->at < r->n && !status; r->at++) {
        const json_t *node = json_array_get(r->nodes, (size_t)r->at);
        const char *name = json_string_value(json_object_get(node, "op"));
        int layer = int_of(node, "layer", -1), role = 0;
        while (name && role < LEAF_WORDS && (!leaf_words[role] || strcmp(leaf_words[role], name)))
            role++;
        const hki_op *op = name ? hki_op_find(name) : NULL;
        if (!name || layer < -1 || layer >= r->net->choices->n_layers)
            return wrong(r, "its operation is not named, or its layer is not one of the net's");
        if (role == LEAF_WORDS && !op)
            return hki_fail(HK_BAD_DATA,
                            "%s: tensor %d of its graph is computed by \"%.32s\", which this "
                            "version does not know",
                            r->path, r->at, name);
        if ((role < LEAF_WORDS) != leaves)
            continue;
        status = leaves ? read_leaf(r, node, (hki_role)role) : read_operation(r, node, op);
        if (!status)
            r->made[r->at]->layer = layer;
    }
    return status;
}

/* How weights are drawn, when all tensors are there. */
static hk_status read_fills(reading *r)
{
    hk_status status = HK_OK;
    for (r->at = 0; r->at < r->n && !status; r->at++) {
        const json_t *init = json_object_get(json_array_get(r->nodes, (size_t)r->at), "init");
        int bias = int_of(init, "bias", -1), result = int_of(init, "result", -1);
        hki_fill fill = {.kernel = int_of(init, "kernel", 1), .groups = int_of(init, "groups", 1)};
        hk_tensor *weight = r->made[r->at];
        if (!init || weight->role != HKI_LEARNED)
            continue;
        if (bias < -1 || bias >= r->n || result < -1 || result >= r->n || fill.kernel < 1 ||
            fill.groups < 1 || hki_channels(&weight->shape) % fill.groups ||
            (bias >= 0 && (r->made[bias]->role != HKI_LEARNED ||
                           hki_count(&r->made[bias]->shape, 1) != hki_channels(&weight->shape))) ||
            (result >= 0 && !r->made[result]->op))
            return wrong(r, "how it is initialized does not fit");
        status = read_use(r, json_object_get(init, "initializer"), HK_INITIALIZER, &fill.use);
        fill.bias = bias >= 0 ? r->made[bias] : NULL;
        fill.result = result >= 0 ? r->made[result] : NULL;
        if (!status && !(weight->init = hki_alloc(sizeof fill)))
            status = HK_NO_MEMORY;
        if (!status)
            *(hki_fill *)weight->init = fill;
    }
    return status;
}

static hk_status read_layers(const reading *r, const json_t *layers)
{
    if (json_array_size(layers) > HKI_MAX_GRAPH)
        return hki_fail(HK_BAD_DATA, "%s: its graph has %zu layers, at most %d are accepted",
                        r->path, json_array_size(layers), HKI_MAX_GRAPH);
    for (size_t i = 0; i < json_array_size(layers); i++) {
        const char *name = json_string_value(json_array_get(layers, i));
        if (!name)
            return hki_fail(HK_BAD_DATA, "%s: layer %zu of its graph has no name", r->path, i);
        if (hki_layer_add(r->net, name, "") < 0)
            return hk_last_status();
    }
    return HK_OK;
}

/* Each tensor at its place in the file: optimizers and digests go by the order. */
static void put_in_order(reading *r)
{
    for (int i = 0; i < r->n; i++) {
        r->net->tensors[i] = r->made[i];
        r->made[i]->id = i;
    }
}

static hk_status read_graph(reading *r, const json_t *graph, hk_tensor **logits)
{
    int version = int_of(graph, "version", INT_MIN), output = int_of(graph, "output", -1);
    r->nodes = json_object_get(graph, "tensors");
    r->n = (int)json_array_size(r->nodes);
    if (version != HKI_GRAPH_VERSION)
        return hki_fail(HK_BAD_DATA, "%s: its graph is of version %d, this library reads %d",
                        r->path, version == INT_MIN ? 0 : version, HKI_GRAPH_VERSION);
    if (r->n < 1 || r->n > HKI_MAX_GRAPH || output < 0 || output >= r->n)
        return hki_fail(HK_BAD_DATA, "%s: its graph has %d tensors and output %d", r->path, r->n,
                        output);
    r->net->seed = (uint64_t)json_integer_value(json_object_get(graph, "seed"));
    r->made = hki_alloc_array((size_t)r->n, sizeof(hk_tensor *));
    hk_status status = r->made ? read_layers(r, json_object_get(graph, "layers")) : HK_NO_MEMORY;
    if (!status)
        status = read_tensors(r, true);
    if (!status)
        status = read_tensors(r, false);
    if (!status)
        status = read_fills(r);
    if (!status && r->net->n_tensors != r->n)
        status = hki_fail(HK_BAD_DATA, "%s: its graph makes %d tensors, not %d", r->path,
                          r->net->n_tensors, r->n);
    if (!status && r->made[output]->role != HKI_COMPUTED)
        status = hki_fail(HK_BAD_DATA, "%s: the output of its graph is not computed", r->path);
    if (!status) {
        put_in_order(r);
        *logits = r->made[output];
    }
    return status;
}

hk_status hki_graph_read(const char *path, const hki_st_file *file, const char *text, hk_net *net,
                         hk_tensor **logits)
{
    reading r = {.path = path, .file = file, .net = net};
    const size_t size = strlen(text);
    json_t *graph;
    hk_status status = hki_json_read(path, "graph", text, size, 16 * size, &graph);
    if (!status)
        status = read_graph(&r, graph, logits);
    hki_free(r.made);
    json_decref(graph);
    return status;
}
