/* The net's arrays for other programs: names and orders of axes as PyTorch has them. */
#include "export/graph.h"
#include "io/io.h"
#include "nn/torch.h"
#include "options.h"
#include "output.h"

#include <stdlib.h>
#include <string.h>

_Static_assert((int)EXPORT_ARRAY_NAME >= (int)HKI_MAX_TENSOR_NAME,
               "every tensor has room for its name");

/* What its weight is applied as: normalized, if it is. The slots of that are left out. */
static const hk_tensor *applied(const hk_tensor *t)
{
    for (int id = t->id + 1; id < t->net->n_tensors; id++) {
        const hk_tensor *y = t->net->tensors[id];
        if (y->op == &hki_op_normalize_weight && y->inputs[0] == t)
            return y;
    }
    return t;
}

/* Runs the net for the values of normalized weights. */
static hk_plan *plan_of(hk_tensor *logits)
{
    hk_net *net = logits->net;
    hk_tensor **keep = calloc((size_t)net->n_tensors, sizeof *keep);
    hk_plan *plan = NULL;
    int n = 0;
    for (int id = 0; keep && id < logits->id; id++)
        if (net->tensors[id]->op == &hki_op_normalize_weight)
            keep[n++] = net->tensors[id];
    const hk_plan_options wanted = {.output = logits, .keep = keep, .n_keep = n};
    if (keep && hk_plan_new(net, &wanted, &plan) == HK_OK && n &&
        hk_plan_forward(plan, 1) != HK_OK) {
        hk_plan_free(plan);
        plan = NULL;
    }
    free(keep);
    return plan;
}

/* False: no memory. */
static bool add_array(export_arrays *a, hk_plan *plan, const hk_tensor *t)
{
    const hk_tensor *used = applied(t);
    const float *values = used == t ? t->value : hk_plan_value(plan, used);
    const hki_torch_order order = hki_torch_order_of(t);
    export_array *it = &a->items[a->n];
    *it = (export_array){.shape = order.shape};
    hki_torch_name(t, it->name);
    it->values = malloc((size_t)export_count(&t->shape) * sizeof *it->values);
    if (!it->values)
        return false;
    a->n++;
    if (order.is_other)
        hki_torch_turn(t, &order, false, values, it->values);
    else
        memcpy(it->values, values, (size_t)export_count(&t->shape) * sizeof *values);
    return true;
}

bool export_is_array(const hk_tensor *t)
{
    return (t->role == HKI_LEARNED || t->role == HKI_STATE) && !strstr(t->name, ".weight_norm.");
}

void export_arrays_free(export_arrays *a)
{
    for (int i = 0; i < a->n; i++)
        free(a->items[i].values);
    free(a->items);
    *a = (export_arrays){0};
}

int export_arrays_of(hk_tensor *logits, export_arrays *out)
{
    const hk_net *net = logits->net;
    *out = (export_arrays){.items = calloc((size_t)net->n_tensors, sizeof *out->items)};
    hk_plan *plan = out->items ? plan_of(logits) : NULL;
    int status = !out->items ? tool_no_memory() : plan ? EXIT_DONE : tool_failed();
    for (int id = 0; id < net->n_tensors && !status; id++)
        if (export_is_array(net->tensors[id]) && !add_array(out, plan, net->tensors[id]))
            status = tool_no_memory();
    hk_plan_free(plan);
    return status;
}

int export_write_safetensors(const export_arrays *a, const char *path)
{
    hki_st_tensor *tensors = calloc((size_t)a->n + 1, sizeof *tensors);
    const hki_st_meta meta[] = {{"format", "pt"}};
    if (!tensors)
        return tool_no_memory();
    for (int i = 0; i < a->n; i++) {
        tensors[i] = (hki_st_tensor){
            .name = a->items[i].name, .ndim = a->items[i].shape.ndim, .data = a->items[i].values};
        memcpy(tensors[i].dims, a->items[i].shape.dims, sizeof tensors[i].dims);
    }
    const hk_status status = hki_st_write(path, tensors, (size_t)a->n, meta, 1);
    free(tensors);
    return status == HK_OK ? EXIT_DONE : tool_failed();
}
