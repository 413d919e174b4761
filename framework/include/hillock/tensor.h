/* hillock/tensor.h - tensors, the operations between them, and plans that compute them.
 *
 * Ordinary calls record a graph of tensors in a net; nothing is computed yet. A plan fixes the
 * batch size, the buffers and the steps forward and back, and can then be run any number of
 * times without allocating. Tensors are float, row-major, channels last: images are
 * [batch, height, width, channels]. The first dimension may be HK_BATCH: known when a plan is
 * made, and allowed to be smaller in any one run.
 *
 * NULL passes through: an operation on NULL returns NULL, so a model needs no checks between its
 * lines and the first message survives. Operations fail with HK_BAD_SHAPE, HK_BAD_ARGUMENT or
 * HK_NO_MEMORY. Tensors belong to their net and end with it.
 * Recording is [one thread] per net. */
#pragma once
#include <stdint.h>
#include <hillock/status.h>

typedef struct hk_net hk_net;
typedef struct hk_tensor hk_tensor;
typedef struct hk_plan hk_plan;

#define HK_MAX_DIMS 8
#define HK_BATCH (-1) /* as the first dimension: the number of samples of the run */

typedef struct hk_shape {
    int ndim; /* 0: a scalar */
    int64_t dims[HK_MAX_DIMS];
} hk_shape;

/* HK_SHAPE(3, 4): a shape from its dimensions. */
#define HK_SHAPE(...)                                                                              \
    ((hk_shape){.ndim = (int)(sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t)),                 \
                .dims = {__VA_ARGS__}})

hk_shape hk_tensor_shape(const hk_tensor *tensor);
const char *hk_tensor_name(const hk_tensor *tensor); /* "conv1.weight"; "" without a name */
hk_net *hk_tensor_net(const hk_tensor *tensor);

/* Threads that parallel loops of the whole process use; 0: as many as OpenMP offers. Results do
 * not depend on it. [one thread] */
void hk_set_threads(int threads);

/* Seconds on a monotonic clock, which nobody sets: the difference of two calls is a duration. All
 * times the library reports are taken with it. [any thread] */
double hk_now(void);

/* What computes, as HILLOCK_ENGINE and HILLOCK_ISA allow: "native"; "baseline", "avx2" or "avx512". */
const char *hk_engine_name(void);
const char *hk_isa_name(void);
/* HK_UNKNOWN_NAME: one of them names what this build does not have; the message lists what it has. A
 * net cannot be made then; what needs none goes on as if they were not set. */
hk_status hk_engine_check(void);

/* ---- Leaves ------------------------------------------------------------------------------------ */

/* Values fed into a plan before each run: hk_input(net, 28, 28, 1) is [batch, 28, 28, 1]. */
#define hk_input(net, ...) hk_input_shaped((net), HK_SHAPE(HK_BATCH, __VA_ARGS__))
hk_tensor *hk_input_shaped(hk_net *net, hk_shape shape);

/* The input from which a tensor is computed, along the first operand of each operation; NULL when
 * that way ends elsewhere. */
hk_tensor *hk_tensor_input(hk_tensor *tensor);

/* One class number a sample, as a float: [batch]. */
hk_tensor *hk_labels(hk_net *net);

/* Fixed values, copied. */
hk_tensor *hk_constant(hk_net *net, hk_shape shape, const float *values);

/* A learned tensor, started by an initializer spec such as "normal:std=0.1". Its name must be
 * new in the net. The last dimension counts as the output channels. */
hk_tensor *hk_parameter(hk_net *net, const char *name, hk_shape shape, const char *init);

/* ---- Elementwise; shapes broadcast as in NumPy (aligned at the last dimension) ------------------ */
hk_tensor *hk_add(hk_tensor *a, hk_tensor *b);
hk_tensor *hk_sub(hk_tensor *a, hk_tensor *b);
hk_tensor *hk_mul(hk_tensor *a, hk_tensor *b);
hk_tensor *hk_div(hk_tensor *a, hk_tensor *b);
hk_tensor *hk_neg(hk_tensor *x);
hk_tensor *hk_exp(hk_tensor *x);
hk_tensor *hk_log(hk_tensor *x);
hk_tensor *hk_pow(hk_tensor *x, double exponent);
hk_tensor *hk_scale(hk_tensor *x, double factor);

/* ---- Over axes: reduced axes stay with extent 1, so that the result broadcasts back ------------ */
#define HK_AXIS(i) (1u << (i))
#define HK_ALL_AXES 0u /* every axis; the result is a scalar of 0 dimensions */
hk_tensor *hk_sum(hk_tensor *x, unsigned axes);
hk_tensor *hk_mean(hk_tensor *x, unsigned axes); /* over the batch: of the samples of the run */

/* ---- Shape -------------------------------------------------------------------------------------- */
/* The same values under new dimensions; a batched tensor's first must stay HK_BATCH. */
hk_tensor *hk_reshape(hk_tensor *x, hk_shape shape);
hk_tensor *hk_flatten(hk_tensor *x);              /* [batch, everything else] */
hk_tensor *hk_concat(hk_tensor *a, hk_tensor *b); /* on the last dimension */

/* ---- Products ------------------------------------------------------------------------------------ */
hk_tensor *hk_matmul(hk_tensor *a, hk_tensor *b); /* [..., m, k] x [k, n] = [..., m, n] */

/* How the edges of an image are padded. */
typedef enum hk_padding {
    HK_SAME = 0, /* zeros so that output = ceil(input / stride); more at the end when odd */
    HK_VALID,    /* none */
    HK_EXPLICIT  /* `pad` zeros on every side */
} hk_padding;

typedef struct hk_window {
    int stride, dilation, groups; /* 0 counts as 1 */
    hk_padding padding;
    int pad; /* for HK_EXPLICIT */
} hk_window;

/* x[batch, h, w, c], filters[kh, kw, c / groups, k], bias[k] or NULL. Cross-correlation. */
hk_tensor *hk_conv2d(hk_tensor *x, hk_tensor *filters, hk_tensor *bias, hk_window window);
/* Windows of size x size; HK_VALID counts only whole windows. */
hk_tensor *hk_maxpool2d(hk_tensor *x, int size, hk_window window);
hk_tensor *hk_avgpool2d(hk_tensor *x, int size, hk_window window); /* of the positions inside */
hk_tensor *hk_global_avgpool(hk_tensor *x); /* [batch, h, w, c] -> [batch, c] */

/* ---- Probabilities and losses; losses are means over all samples, a scalar ---------------------- */
hk_tensor *hk_softmax(hk_tensor *x); /* over the last dimension */
/* logits[batch, classes], labels[batch]; targets are (1 - smoothing) onehot + smoothing / classes.
 * A label outside 0 .. classes - 1 makes the loss NaN. */
hk_tensor *hk_cross_entropy(hk_tensor *logits, hk_tensor *labels, double smoothing);
hk_tensor *hk_binary_cross_entropy(hk_tensor *logits, hk_tensor *targets); /* element by element */
hk_tensor *hk_mse(hk_tensor *y, hk_tensor *target); /* mean of (y - target)^2 */
hk_tensor *hk_huber(hk_tensor *y, hk_tensor *target, double delta);

/* ---- Noise: identity in evaluation, but for hk_mc_dropout ----------------------------------------- */
hk_tensor *hk_dropout(hk_tensor *x, double rate);         /* inverted: kept values / (1 - rate) */
hk_tensor *hk_channel_dropout(hk_tensor *x, double rate); /* whole channels of a sample */
/* Dropped values become selu's least, then mean 0 and variance 1 are restored. */
hk_tensor *hk_alpha_dropout(hk_tensor *x, double rate);
hk_tensor *hk_channel_alpha_dropout(hk_tensor *x, double rate);
hk_tensor *hk_gaussian_dropout(hk_tensor *x, double rate);    /* times N(1, rate / (1 - rate)) */
hk_tensor *hk_gaussian_noise(hk_tensor *x, double deviation); /* plus N(0, deviation^2) */
/* A whole sample, for the branch of a residual block; kept ones / (1 - rate). */
hk_tensor *hk_drop_path(hk_tensor *x, double rate);
/* Squares of size x size in the map of a channel; the rest of the sample is scaled up by what is
 * missing. Larger squares than maps count as those that just fit. */
hk_tensor *hk_drop_block(hk_tensor *x, double rate, int size);
/* Dropout that stays on in evaluation (Monte Carlo dropout): hk_plan_forward() on the same inputs,
 * repeated with hk_plan_commit() after each, which draws anew, gives outputs whose mean predicts
 * and whose spread says how sure the net is. */
hk_tensor *hk_mc_dropout(hk_tensor *x, double rate);

/* ---- Plans --------------------------------------------------------------------------------------- */

typedef struct hk_plan_options {
    int64_t batch;          /* most samples in one run; 0 counts as 1 */
    int training;           /* 1: dropout drops, statistics come from the batch */
    hk_tensor *loss;        /* a scalar to walk back from; NULL: forward only */
    hk_tensor *output;      /* a tensor whose value is wanted; NULL: the loss alone */
    hk_tensor *const *keep; /* further tensors whose values and gradients stay readable */
    int n_keep;
    int probe; /* 1: keeps what hki_probe needs at every activation */
} hk_plan_options;

/* Makes a plan. The first plan of a net fills its parameters: only now is it known which
 * activation follows which weight. The plan must be freed before its net. */
hk_status hk_plan_new(hk_net *net, const hk_plan_options *options, hk_plan **out);
void hk_plan_free(hk_plan *plan);
int64_t hk_plan_bytes(const hk_plan *plan); /* of all its buffers */
/* The same of a plan that is not made: nothing is taken, and no parameter filled. */
hk_status hk_plan_size(hk_net *net, const hk_plan_options *options, int64_t *bytes);

/* Where an input is to be written, or an output, loss or kept tensor can be read: room for the
 * plan's batch. NULL for tensors whose buffer is reused. Parameters always have one. */
float *hk_plan_value(hk_plan *plan, const hk_tensor *tensor);
const float *hk_plan_gradient(hk_plan *plan, const hk_tensor *tensor);

/* Computes everything for n samples (1 <= n <= batch). HK_BAD_ARGUMENT for another n. */
hk_status hk_plan_forward(hk_plan *plan, int64_t n);

/* Walks back, once, from the loss of the last forward run. Gradients of learned tensors are added to
 * what is there since the last optimizer step or hk_net_clear_gradients().
 * HK_BAD_ARGUMENT: the plan has no loss, or no forward run since it last walked back. */
hk_status hk_plan_backward(hk_plan *plan);

/* Lets stateful plugins learn from the last training forward (running averages, thresholds) and
 * starts a new step for random numbers. hk_optimizer_step() does it; call it yourself only in a
 * loop without optimizer. */
void hk_plan_commit(hk_plan *plan);
