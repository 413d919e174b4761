/* nn/torch.h - a net's tensors as PyTorch has them: other names, and weights with the output first. */
#pragma once
#include "nn/nn.h"

/* The name there: "conv1.norm.weight" of conv1.norm.gamma, or the tensor's own. */
void hki_torch_name(const hk_tensor *t, char out[HKI_MAX_TENSOR_NAME]);

/* The weight that t is, or is made of before it is used. */
const hk_tensor *hki_torch_origin(const hk_tensor *t);
/* The flattening of an image that x is, through what keeps the places of numbers. NULL: none. */
const hk_tensor *hki_torch_flattened(const hk_tensor *x);

/* How a weight stands there. */
typedef struct hki_torch_order {
    bool is_other;  /* false: as here */
    hk_shape shape; /* [out, in], or [out, in / groups, height, width] */
    int64_t places,
        channels; /* a dense layer's inputs are an image, flattened channels last here and
                                 channels first there; else 1 and 1 */
} hki_torch_order;
hki_torch_order hki_torch_order_of(const hk_tensor *t);
/* Copies the values of t from our order to theirs, or back. */
void hki_torch_turn(const hk_tensor *t, const hki_torch_order *order, bool back, const float *from,
                    float *to);
