/* Recording: tensors are appended to their net and never move. */
#include "graph/graph.h"

#include <hillock/layer.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- Shapes ------------------------------------------------------------------------------------ */

bool hki_is_batched(const hk_shape *shape)
{
    return shape->ndim > 0 && shape->dims[0] == HK_BATCH;
}

int64_t hki_sample_count(const hk_shape *shape)
{
    int64_t count = 1;
    for (int i = hki_is_batched(shape); i < shape->ndim; i++)
        count *= shape->dims[i];
    return count;
}

int64_t hki_count(const hk_shape *shape, int64_t batch)
{
    return hki_sample_count(shape) * (hki_is_batched(shape) ? batch : 1);
}

bool hki_has_channels(const hk_shape *shape)
{
    return shape->ndim > hki_is_batched(shape);
}

int64_t hki_channels(const hk_shape *shape)
{
    return hki_has_channels(shape) ? shape->dims[shape->ndim - 1] : 1;
}

int64_t hki_rows(const hk_shape *shape, int64_t batch)
{
    return hki_count(shape, batch) / hki_channels(shape);
}

bool hki_same_shape(const hk_shape *a, const hk_shape *b)
{
    return a->ndim == b->ndim && !memcmp(a->dims, b->dims, (size_t)a->ndim * sizeof *a->dims);
}

const char *hki_shape_text(const hk_shape *shape)
{
    static _Thread_local char buffers[4][2 + HK_MAX_DIMS * sizeof ", -9223372036854775808"];
    static _Thread_local int next;
    char *text = buffers[next = (next + 1) % 4];
    size_t used = (size_t)snprintf(text, sizeof buffers[0], "[");
    for (int i = 0; i < shape->ndim; i++) {
        const char *separator = i ? ", " : "";
        if (shape->dims[i] == HK_BATCH)
            used += (size_t)snprintf(text + used, sizeof buffers[0] - used, "%sbatch", separator);
        else
            used += (size_t)snprintf(text + used, sizeof buffers[0] - used, "%s%lld", separator,
                                     (long long)shape->dims[i]);
    }
    snprintf(text + used, sizeof buffers[0] - used, "]");
    return text;
}

hk_status hki_check_shape(const hk_shape *shape)
{
    if (shape->ndim < 0 || shape->ndim > HK_MAX_DIMS)
        return hki_fail(HK_BAD_SHAPE, "a tensor has 0 to %d dimensions, not %d", HK_MAX_DIMS,
                        shape->ndim);
    size_t bytes = sizeof(float);
    for (int i = hki_is_batched(shape); i < shape->ndim; i++) {
        if (shape->dims[i] < 1 || shape->dims[i] > HKI_MAX_DIM)
            return hki_fail(HK_BAD_SHAPE, "dimension %d of %s is not between 1 and %lld", i,
                            hki_shape_text(shape), (long long)HKI_MAX_DIM);
        if (!hki_mul(bytes, (size_t)shape->dims[i], &bytes) || bytes > HKI_MAX_BYTES)
            return hki_fail(HK_BAD_SHAPE, "a tensor of shape %s is too large",
                            hki_shape_text(shape));
    }
    return HK_OK;
}

/* ---- Recording --------------------------------------------------------------------------------- */

static void free_tensor(hk_tensor *tensor)
{
    if (!tensor)
        return;
    hki_free(tensor->attributes);
    hki_free(tensor->value);
    hki_free(tensor->gradient);
    hki_free(tensor->init);
    hki_free(tensor->name);
    hki_free(tensor);
}

void hki_net_clear_graph(hk_net *net)
{
    for (int i = 0; i < net->n_tensors; i++)
        free_tensor(net->tensors[i]);
    hki_free(net->tensors);
}

void hki_net_forget(hk_net *net, int n)
{
    while (net->n_tensors > n)
        free_tensor(net->tensors[--net->n_tensors]);
}

/* Makes room for one more tensor and appends it; frees it on failure. */
static hk_tensor *append(hk_net *net, hk_tensor *tensor)
{
    hk_tensor **all =
        net->n_tensors < HKI_MAX_TENSORS
            ? hki_reserve(net->tensors, (size_t)net->n_tensors, &net->capacity, sizeof *all)
            : hki_fail_null(HK_BAD_ARGUMENT, "a net has at most %d tensors", HKI_MAX_TENSORS);
    if (!all) {
        free_tensor(tensor);
        return NULL;
    }
    net->tensors = all;
    tensor->net = net;
    tensor->id = net->n_tensors;
    net->tensors[net->n_tensors++] = tensor;
    return tensor;
}

hk_tensor *hki_find_tensor(const hk_net *net, const char *name)
{
    for (int i = 0; i < net->n_tensors; i++)
        if (net->tensors[i]->name && net->tensors[i]->role != HKI_DROPPED &&
            !strcmp(net->tensors[i]->name, name))
            return net->tensors[i];
    return NULL;
}

void hki_clamp(hk_tensor *tensor)
{
    for (int64_t i = 0; tensor->low < tensor->high && i < hki_count(&tensor->shape, 1); i++) {
        float v = tensor->value[i];
        tensor->value[i] = v < tensor->low ? tensor->low : v > tensor->high ? tensor->high : v;
    }
}

hk_tensor *hki_leaf(hk_net *net, hki_role role, const char *name, hk_shape shape)
{
    if (hki_check_shape(&shape))
        return NULL;
    if (role != HKI_INPUT && hki_is_batched(&shape))
        return hki_fail_null(HK_BAD_SHAPE, "tensor %s: only inputs have a batch dimension",
                             name ? name : "");
    if (name && hki_check_name("a tensor", name, HKI_MAX_TENSOR_NAME))
        return NULL;
    if (name && hki_find_tensor(net, name))
        return hki_fail_null(HK_BAD_ARGUMENT, "the net already has a tensor named %.64s", name);
    int64_t floats = role == HKI_INPUT ? 0 : hki_count(&shape, 1);
    if (net->most_floats && floats > net->most_floats - net->floats)
        return hki_fail_null(HK_BAD_SHAPE,
                             "tensor %s of shape %s: the net may have only %lld numbers",
                             name ? name : "", hki_shape_text(&shape), (long long)net->most_floats);
    hk_tensor *tensor = hki_alloc(sizeof *tensor);
    if (!tensor)
        return NULL;
    tensor->role = role;
    tensor->shape = shape;
    tensor->layer = -1;
    size_t bytes = (size_t)floats * sizeof(float);
    bool complete = (!name || (tensor->name = hki_copy_text(name))) &&
                    (role == HKI_INPUT || (tensor->value = hki_alloc(bytes))) &&
                    (role != HKI_LEARNED || (tensor->gradient = hki_alloc(bytes)));
    if (!complete) {
        free_tensor(tensor);
        return NULL;
    }
    net->floats += floats;
    return append(net, tensor);
}

int hki_readers(const hk_tensor *tensor)
{
    int readers = 0;
    for (int id = tensor->id + 1; id < tensor->net->n_tensors; id++)
        for (int i = 0; i < tensor->net->tensors[id]->n_inputs; i++)
            readers += tensor->net->tensors[id]->inputs[i] == tensor;
    return readers;
}

void hki_move_before(hk_net *net, int first, int place)
{
    for (int from = first, to = place; from < net->n_tensors; from++, to++) {
        hk_tensor *moved = net->tensors[from];
        memmove(net->tensors + to + 1, net->tensors + to,
                (size_t)(from - to) * sizeof *net->tensors);
        net->tensors[to] = moved;
    }
    for (int id = place; id < net->n_tensors; id++)
        net->tensors[id]->id = id;
}

hk_tensor *hki_compute(const hki_op *op, hk_tensor *const *inputs, int n_inputs, hk_shape shape,
                       const void *attributes)
{
    for (int i = 0; i < n_inputs; i++) {
        if (inputs[i]->net != inputs[0]->net)
            return hki_fail_null(HK_BAD_ARGUMENT, "%s: its inputs belong to different nets",
                                 op->name);
    }
    if (hki_check_shape(&shape))
        return NULL;
    hk_tensor *tensor = hki_alloc(sizeof *tensor);
    if (!tensor)
        return NULL;
    tensor->role = HKI_COMPUTED;
    tensor->shape = shape;
    tensor->layer = inputs[0]->layer;
    memcpy(tensor->inputs, inputs, (size_t)n_inputs * sizeof *inputs);
    tensor->n_inputs = n_inputs;
    if (op->attribute_bytes) {
        tensor->attributes = hki_alloc(op->attribute_bytes);
        if (!tensor->attributes) {
            free_tensor(tensor);
            return NULL;
        }
        memcpy(tensor->attributes, attributes, op->attribute_bytes);
    }
    tensor->op = op;
    return append(inputs[0]->net, tensor);
}

/* ---- The public face ---------------------------------------------------------------------------- */

hk_shape hk_tensor_shape(const hk_tensor *tensor)
{
    return hki_null_operand(__func__, tensor) ? (hk_shape){0} : tensor->shape;
}

const char *hk_tensor_name(const hk_tensor *tensor)
{
    return !hki_null_operand(__func__, tensor) && tensor->name ? tensor->name : "";
}

hk_net *hk_tensor_net(const hk_tensor *tensor)
{
    return hki_null_operand(__func__, tensor) ? NULL : tensor->net;
}

hk_tensor *hk_input_shaped(hk_net *net, hk_shape shape)
{
    return hki_null_operand(__func__, net) ? NULL : hki_leaf(net, HKI_INPUT, NULL, shape);
}

hk_tensor *hk_tensor_input(hk_tensor *tensor)
{
    hki_null_operand(__func__, tensor);
    while (tensor && tensor->role == HKI_COMPUTED)
        tensor = tensor->inputs[0];
    return tensor && tensor->role == HKI_INPUT ? tensor : NULL;
}

hk_tensor *hk_labels(hk_net *net)
{
    return hki_null_operand(__func__, net) ? NULL
                                           : hki_leaf(net, HKI_INPUT, NULL, HK_SHAPE(HK_BATCH));
}

hk_tensor *hk_constant(hk_net *net, hk_shape shape, const float *values)
{
    if (hki_null_operand(__func__, net, values))
        return NULL;
    hk_tensor *tensor = hki_leaf(net, HKI_FIXED, NULL, shape);
    if (tensor)
        memcpy(tensor->value, values, (size_t)hki_count(&shape, 1) * sizeof *values);
    return tensor;
}

void hk_net_clear_gradients(hk_net *net)
{
    if (!hki_null(net))
        net->has_gradients = false;
}
