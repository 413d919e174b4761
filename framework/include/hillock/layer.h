/* hillock/layer.h - nets, layer functions, predicting. Saving and loading: saved.h.
 *
 * A layer function takes required arguments by position and options by name:
 *     x = hk_act(hk_norm(hk_conv(x, 16, 3, .stride = 2)));
 * (C++: see hillock.h.) Input sizes are inferred. Activation, normalization and initializer are those of
 * the net unless the call names its own. Layers are numbered, conv1, conv2, fc1; their tensors are
 * conv1.weight, conv1.bias, conv1.norm.gamma, conv1.act.slope. NULL in, NULL out (status.h).
 * A name given to a layer is 1 to 63 printable ASCII characters without + = ~ and comma, unique. */
#pragma once
#include <hillock/tensor.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct hk_net_options {
    const char *activation;    /* spec, default "relu"; per layer: "relu+conv2=prelu"; "relu~elu":
                                  elu in the channels that a treatment selects, see doctor.h */
    const char *normalization; /* spec, default "batch_norm"; "none": no layers */
    const char *initializer;   /* spec, default "he_normal" */
    const char *weight_norm;   /* spec of a normalization of all weights, default "none" */
    uint64_t seed;             /* random seed; default 0 */
    int64_t most_floats; /* limit on the number of parameters and state values, beyond which layers
                                  fail; 0: none. For nets that a file describes */
    int zero_;           /* unused; lets the macro below take no argument */
} hk_net_options;

/* A new, empty net: hk_net_new(.activation = "mish", .seed = 1). HK_UNKNOWN_NAME, HK_BAD_ARGUMENT
 * for an invalid spec. Free with hk_net_free. */
#define hk_net_new(...) hk_net_create((hk_net_options){.zero_ = 0, __VA_ARGS__})
hk_net *hk_net_create(hk_net_options options);
void hk_net_free(hk_net *net);
/* Its plugins as canonical specs: with names, not paths. */
const char *hk_net_activation(const hk_net *net);
const char *hk_net_normalization(const hk_net *net);
const char *hk_net_initializer(const hk_net *net);
const char *hk_net_weight_norm(const hk_net *net);
/* 1: it has normalization layers, or would have, were its normalization not "none". */
int hk_net_has_norm(const hk_net *net);

typedef struct hk_conv_options {
    hk_tensor *x;
    int filters, kernel;          /* required: output channels, kernel size */
    int stride, dilation, groups; /* 0 counts as 1; groups = channels is depthwise */
    hk_padding padding;           /* default HK_SAME; .pad given: HK_EXPLICIT */
    int pad;
    int no_bias;             /* 1: no bias. hk_norm removes the bias of the layer that it follows */
    const char *init;        /* initializer of the weight */
    const char *weight_norm; /* normalization of the weight, "spectral_norm", "none" */
    double drop_connect;     /* share of the weights that each training step drops */
    const char *name;        /* NULL: "conv1", "conv2" ... */
    int zero_;
} hk_conv_options;
#define hk_conv(...) hk_conv_with((hk_conv_options){__VA_ARGS__, .zero_ = 0})
hk_tensor *hk_conv_with(hk_conv_options options);

typedef struct hk_linear_options {
    hk_tensor *x;
    int units; /* required */
    int no_bias;
    const char *init, *weight_norm;
    double drop_connect;
    const char *name;
    int zero_;
} hk_linear_options;
/* A dense layer; flattens inputs of more than two dimensions. */
#define hk_linear(...) hk_linear_with((hk_linear_options){__VA_ARGS__, .zero_ = 0})
hk_tensor *hk_linear_with(hk_linear_options options);

typedef struct hk_act_options {
    hk_tensor *x;
    const char *use; /* an activation instead of the net's, unless the net's spec names the layer */
    int zero_;
} hk_act_options;
#define hk_act(...) hk_act_with((hk_act_options){__VA_ARGS__, .zero_ = 0})
hk_tensor *hk_act_with(hk_act_options options);

typedef struct hk_norm_options {
    hk_tensor *x;
    const char *use;
    int zero_;
} hk_norm_options;
#define hk_norm(...) hk_norm_with((hk_norm_options){__VA_ARGS__, .zero_ = 0})
hk_tensor *hk_norm_with(hk_norm_options options);

typedef struct hk_pool_options {
    hk_tensor *x;
    int size;           /* required */
    int stride;         /* default: size */
    hk_padding padding; /* default HK_SAME; .pad given: HK_EXPLICIT */
    int pad;
    int zero_;
} hk_pool_options;
#define hk_maxpool(...) hk_maxpool_with((hk_pool_options){__VA_ARGS__, .zero_ = 0})
#define hk_avgpool(...) hk_avgpool_with((hk_pool_options){__VA_ARGS__, .zero_ = 0})
hk_tensor *hk_maxpool_with(hk_pool_options options);
hk_tensor *hk_avgpool_with(hk_pool_options options);

/* ---- Parameters: counting, freezing, names; saving: saved.h -------------------------------------------- */

int64_t hk_net_parameters(const hk_net *net); /* number of learned parameters */
/* Sets gradients to zero. */
void hk_net_clear_gradients(hk_net *net);

/* Freezes layers, "conv1,fc2": optimizers leave their parameters alone.
 * HK_UNKNOWN_NAME lists the layers. */
hk_status hk_net_freeze(hk_net *net, const char *layers);

/* SHA-256, in hexadecimal, of all parameters and state in the order of recording; "" if
 * allocation or initialization fails. */
void hk_net_digest(hk_net *net, char out[65]);

/* Gives every parameter and state the first values of a new net with this seed. */
hk_status hk_net_redraw(hk_net *net, uint64_t seed);

/* Every parameter and every state of the net, in the order of recording. */
void hk_net_each_tensor(const hk_net *net, void (*each)(hk_tensor *, void *user), void *user);
/* The one of that name, "conv1.weight"; NULL and HK_UNKNOWN_NAME, with the nearest names, without. */
hk_tensor *hk_net_tensor(const hk_net *net, const char *name);
/* Copies the values of a parameter, state or constant: all of hk_tensor_shape(), row-major; the first use
 * of a net initializes it. HK_BAD_ARGUMENT: another tensor. Writing is [one thread] per net. */
hk_status hk_tensor_read(hk_tensor *tensor, float *values);
hk_status hk_tensor_write(hk_tensor *tensor, const float *values);

/* Inference: logits y[n, classes] of n samples x[n, ...], in evaluation mode. [any thread] while the
 * net does not change. */
hk_status hk_net_predict(hk_tensor *logits, int64_t n, const float *x, float *y);

/* A row of a model summary. */
typedef struct hk_layer_info {
    const char *name, *kind; /* "conv1", "conv 16 3x3 / 2" */
    hk_shape output;
    int64_t parameters, multiply_adds, bytes; /* per sample; bytes of its output */
    const char *activation; /* its canonical spec, where the layer is one; else NULL */
} hk_layer_info;
/* Texts are valid during the call. Calls `each` for every layer, in the order of recording. */
void hk_net_each_layer(const hk_net *net, void (*each)(const hk_layer_info *, void *user),
                       void *user);

/* A step of a plan that just ran, forward or backward. A fused step has the name of its first layer and
 * the kinds of all. */
typedef struct hk_step_info {
    const char *layer, *kind; /* valid during the call */
    int back;
    double seconds;
    int64_t multiply_adds; /* of convolutions and products, all samples */
    int64_t bytes; /* read and written, if no more than a tile stays in the caches between passes */
} hk_step_info;
/* From now on calls `each` after every step of the plan; `each` may be NULL: no more. */
void hk_plan_profile(hk_plan *plan, void (*each)(const hk_step_info *, void *user), void *user);

#ifdef __cplusplus
}
#endif
