/* hillock/layer.h - the words a model is written in.
 *
 * A word takes its required arguments by position and the rest by name:
 *     x = hk_act(hk_norm(hk_conv(x, 16, 3, .stride = 2)));
 * Input sizes are inferred. Which activation, normalization and initializer a word uses is the
 * net's choice unless the word names its own. Layers are named as they come, conv1, conv2, fc1;
 * their tensors are conv1.weight, conv1.bias, conv1.norm.gamma, conv1.act.slope.
 * NULL passes through. */
#pragma once
#include <hillock/tensor.h>

typedef struct hk_net_options {
    const char *activation;    /* spec, default "relu"; per layer: "relu+conv2=prelu"; "relu~elu":
                                  elu in channels that a treatment has swapped, see doctor.h */
    const char *normalization; /* spec, default "batch_norm"; "none" leaves them out */
    const char *initializer;   /* spec, default "he_normal" */
    const char *weight_norm;   /* spec of a normalization of every layer's weight, default "none" */
    uint64_t seed;             /* of everything random in this net; default 0 */
    int64_t most_floats;       /* a word that would bring more, learned and state, fails; default 0:
                                  any number. For nets that a file describes */
    int zero_;                 /* unused; lets the macro below take no argument */
} hk_net_options;

/* A new, empty net: hk_net_new(.activation = "mish", .seed = 1). HK_UNKNOWN_NAME, HK_BAD_ARGUMENT
 * for a spec that cannot be used. Free with hk_net_free. */
#define hk_net_new(...) hk_net_create((hk_net_options){.zero_ = 0, __VA_ARGS__})
hk_net *hk_net_create(hk_net_options options);
void hk_net_free(hk_net *net);
/* Its choices as canonical specs: names, not paths. */
const char *hk_net_activation(const hk_net *net);
const char *hk_net_normalization(const hk_net *net);
const char *hk_net_initializer(const hk_net *net);
const char *hk_net_weight_norm(const hk_net *net);

typedef struct hk_conv_options {
    hk_tensor *x;
    int filters, kernel;          /* required: number of output channels, kernel size */
    int stride, dilation, groups; /* 0 counts as 1; groups = channels is depthwise */
    hk_padding padding;           /* default HK_SAME; .pad given: HK_EXPLICIT */
    int pad;
    int no_bias;             /* 1: none. Before a normalization there is none anyway:
                                      hk_norm removes the bias of the layer it follows */
    const char *init;        /* initializer of the weight */
    const char *weight_norm; /* normalization of the weight, "spectral_norm", "none" */
    double drop_connect;     /* share of the weights that a training step leaves out */
    const char *name;        /* instead of conv1, conv2 ... */
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
/* Flattens its input if it has more than two dimensions. */
#define hk_linear(...) hk_linear_with((hk_linear_options){__VA_ARGS__, .zero_ = 0})
hk_tensor *hk_linear_with(hk_linear_options options);

typedef struct hk_act_options {
    hk_tensor *x;
    const char
        *use; /* this activation instead of the net's, unless the net's spec names the layer */
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

/* ---- The net: its parameters, saved and loaded -------------------------------------------------- */

int64_t hk_net_parameters(const hk_net *net); /* number of learned floats */
/* Forgets gradients: the next backward writes instead of adding. */
void hk_net_clear_gradients(hk_net *net);

/* Parts of the net by name: layers "conv1,fc2" are no longer changed by optimizers.
 * HK_UNKNOWN_NAME lists the layers. */
hk_status hk_net_freeze(hk_net *net, const char *layers);

/* SHA-256, in hexadecimal, over all learned tensors and state in the order of recording; "" when
 * memory is refused or the net cannot be filled. */
void hk_net_digest(hk_net *net, char out[65]);

/* Writes all learned tensors and state of the net that ends in `logits` as safetensors. The
 * metadata hold the net's choices, the input's shape, the number of classes and `model` (a model's
 * spec, or NULL). HK_IO; the old file survives. */
hk_status hk_net_save(hk_tensor *logits, const char *path, const char *model);
/* Fills the net from a file. Tensors that the net has and the file lacks (a new activation's)
 * keep their start and are counted in *missing (may be NULL); a weight or bias that is absent or
 * has another shape is HK_BAD_DATA. Tensors of the file that the net lacks are ignored only when
 * they belong to an activation or normalization. */
hk_status hk_net_load(hk_net *net, const char *path, int *missing);

/* What a file says of the net it was saved from. Texts are "" where the file does not say. */
typedef struct hk_saved {
    char model[256], activation[4096], normalization[256], initializer[256], weight_norm[256];
    char data[1024];
    int height, width, channels, classes; /* 0 where the file does not say */
    int epochs;                           /* trained so far, at most 1,000,000,000 */
    int64_t floats;                       /* that it holds, in all tensors */
} hk_saved;
/* HK_BAD_DATA, too, when the file names a plugin by a path: a file of data never says what code to
 * load. */
hk_status hk_net_peek(const char *path, hk_saved *out);

/* Logits for n images x[n, ...] into y[n, classes], in evaluation mode. [any thread] on a net that
 * no one is changing. */
hk_status hk_net_predict(hk_tensor *logits, int64_t n, const float *x, float *y);

/* What a model consists of, layer by layer: for printing, costs and probes. */
typedef struct hk_layer_info {
    const char *name, *kind; /* "conv1", "conv 16 3x3 / 2" */
    hk_shape output;
    int64_t parameters, multiply_adds, bytes; /* per sample; bytes of its output */
} hk_layer_info;
/* Calls `each` in the order of recording. */
void hk_net_each_layer(const hk_net *net, void (*each)(const hk_layer_info *, void *user),
                       void *user);

/* One step of a plan, forward or back, as it just ran. A step may do several layers' work; it has
 * the name of the first and the kinds of all. */
typedef struct hk_step_info {
    const char *layer, *kind; /* valid during the call */
    int back;
    double seconds;
    int64_t multiply_adds; /* of convolutions and products, all samples */
} hk_step_info;
/* Calls `each` after every step of the plan's later runs; NULL ends that. */
void hk_plan_profile(hk_plan *plan, void (*each)(const hk_step_info *, void *user), void *user);
