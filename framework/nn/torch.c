/* The names and orders of PyTorch's modules Conv2d, Linear, BatchNorm2d, GroupNorm, LayerNorm, PReLU. */
#include "nn/torch.h"

#include <stdio.h>
#include <string.h>

static const char *const names[][2] = {
    {".norm.gamma", ".norm.weight"}, {".norm.beta", ".norm.bias"}, {".act.slope", ".act.weight"}};

void hki_torch_name(const hk_tensor *t, char out[HKI_MAX_TENSOR_NAME])
{
    const size_t length = strlen(t->name);
    snprintf(out, HKI_MAX_TENSOR_NAME, "%s", t->name);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const size_t end = strlen(names[i][0]);
        if (length < end || strcmp(t->name + length - end, names[i][0]) != 0 ||
            length - end + strlen(names[i][1]) >= HKI_MAX_TENSOR_NAME)
            continue;
        strcpy(out + length - end, names[i][1]);
        if (hki_find_tensor(t->net, out)) /* taken by another one */
            strcpy(out, t->name);
    }
}

const hk_tensor *hki_torch_origin(const hk_tensor *t)
{
    while (t->op == &hki_op_normalize_weight || t->op == &hki_op_drop_connect)
        t = t->inputs[0];
    return t;
}

/* The product that t is the weight of, NULL: none. */
static const hk_tensor *product_of(const hk_tensor *t)
{
    for (int id = 0; id < t->net->n_tensors; id++) {
        const hk_tensor *y = t->net->tensors[id];
        if (y->role == HKI_COMPUTED && hki_is_product(y) && hki_torch_origin(y->inputs[1]) == t)
            return y;
    }
    return NULL;
}

const hk_tensor *hki_torch_flattened(const hk_tensor *x)
{
    while (x->op && x->op != &hki_op_reshape && hki_same_shape(&x->shape, &x->inputs[0]->shape))
        x = x->inputs[0];
    const bool is_image = x->op == &hki_op_reshape && x->inputs[0]->shape.ndim == 4;
    return is_image && x->shape.ndim == 2 ? x : NULL;
}

hki_torch_order hki_torch_order_of(const hk_tensor *t)
{
    const int64_t *dims = t->shape.dims;
    const hk_tensor *y = t->role == HKI_LEARNED ? product_of(t) : NULL;
    hki_torch_order order = {.shape = t->shape, .places = 1, .channels = 1};
    if (!y || (t->shape.ndim != 2 && t->shape.ndim != 4))
        return order;
    order.is_other = true;
    if (t->shape.ndim == 4) {
        order.shape = HK_SHAPE(dims[3], dims[2], dims[0], dims[1]);
        return order;
    }
    order.shape = HK_SHAPE(dims[1], dims[0]);
    const hk_tensor *flat = hki_torch_flattened(y->inputs[0]);
    if (flat) {
        const int64_t *image = flat->inputs[0]->shape.dims;
        order.places = image[1] * image[2];
        order.channels = image[3];
    }
    return order;
}

/* As [positions, in, out] here and [out, in, positions] there: a filter's places, or one; of a flattened
 * image the places of inputs stand otherwise, too. */
void hki_torch_turn(const hk_tensor *t, const hki_torch_order *order, bool back, const float *from,
                    float *to)
{
    const int64_t *dims = t->shape.dims;
    const bool filters = t->shape.ndim == 4;
    const int64_t positions = filters ? dims[0] * dims[1] : 1;
    const int64_t in = filters ? dims[2] : dims[0], out = filters ? dims[3] : dims[1];
    for (int64_t p = 0; p < positions; p++)
        for (int64_t i = 0; i < in; i++)
            for (int64_t o = 0; o < out; o++) {
                const int64_t there_in =
                    order->places > 1 ? i % order->channels * order->places + i / order->channels
                                      : i;
                const int64_t here = (p * in + i) * out + o;
                const int64_t there = (o * in + there_in) * positions + p;
                if (back)
                    to[here] = from[there];
                else
                    to[there] = from[here];
            }
}
