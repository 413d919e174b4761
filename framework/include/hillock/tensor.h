/* hillock/tensor.h - tensors, the operations between them, and plans that compute them.
 *
 * Calls record a graph of tensors in a net; nothing is computed yet. A plan fixes the batch size, the
 * buffers and the forward and backward steps, and then runs any number of times without allocating. Tensors are float, row-major, channels last: images are
 * [batch, height, width, channels]. The first dimension may be HK_BATCH: known when a plan is
 * made, and allowed to be smaller in any one run.
 *
 * An operation on NULL returns NULL (see status.h). Operations fail with HK_BAD_SHAPE, HK_BAD_ARGUMENT or
 * HK_NO_MEMORY. Tensors belong to their net and are freed with it.
 * Recording is [one thread] per net. */
#pragma once
#include <stdint.h>
#include <hillock/status.h>
#include <hillock/team.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct hk_net hk_net;
typedef struct hk_tensor hk_tensor;
typedef struct hk_plan hk_plan;

#define HK_MAX_DIMS 8
#define HK_MAX_LAYER_NAME 64 /* bytes of the name of a layer, with the 0 that ends it */
#define HK_MAX_SPEC 4096     /* bytes of a spec, likewise */
#define HK_BATCH (-1)        /* as the first dimension: the number of samples of the run */

typedef struct hk_shape {
    int ndim; /* 0: a scalar */
    int64_t dims[HK_MAX_DIMS];
} hk_shape;

/* HK_SHAPE(3, 4): a shape from its dimensions. */
#ifdef __cplusplus
#define HK_SHAPE(...) hk_make_shape(__VA_ARGS__)
extern "C++" template <typename... dim> inline hk_shape hk_make_shape(dim... dims)
{
    return hk_shape{static_cast<int>(sizeof...(dims)), {static_cast<int64_t>(dims)...}};
}
#else
#define HK_SHAPE(...)                                                                              \
    ((hk_shape){.ndim = (int)(sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t)),                 \
                .dims = {__VA_ARGS__}})
#endif

hk_shape hk_tensor_shape(const hk_tensor *tensor);
const char *hk_tensor_name(const hk_tensor *tensor); /* "conv1.weight"; "" without a name */
hk_net *hk_tensor_net(const hk_tensor *tensor);

/* Number of threads of all parallel loops of the library; 0 or less: OpenMP's default. Results do not
 * depend on it. [one thread] */
void hk_set_threads(int threads);

/* Seconds on a monotonic clock, which nobody sets: the difference of two calls is a duration. All
 * times the library reports are taken with it. [any thread] */
double hk_now(void);

/* The engine and the instruction set in use, which HILLOCK_ENGINE and HILLOCK_ISA select: "native";
 * "baseline", "avx2" or "avx512". */
const char *hk_engine_name(void);
const char *hk_isa_name(void);
/* HK_UNKNOWN_NAME: one of them names an engine or instruction set that is not in this build; the
 * message lists those that are. No net can be made then; functions without a net ignore the setting. */
hk_status hk_engine_check(void);

/* ---- Leaves ------------------------------------------------------------------------------------ */

/* A placeholder, whose values are written before each run: hk_input(net, 28, 28, 1) is
 * [batch, 28, 28, 1]. */
#define hk_input(net, ...) hk_input_shaped((net), HK_SHAPE(HK_BATCH, __VA_ARGS__))
hk_tensor *hk_input_shaped(hk_net *net, hk_shape shape);

/* The input that a tensor is computed from, following the first operand of each operation; NULL if
 * that leads to another kind of leaf. */
hk_tensor *hk_tensor_input(hk_tensor *tensor);

/* An input for labels: one class index per sample, as a float: [batch]. */
hk_tensor *hk_labels(hk_net *net);

/* A constant; `values` are copied. */
hk_tensor *hk_constant(hk_net *net, hk_shape shape, const float *values);

/* A learned parameter, initialized as the spec `init` says, "normal:std=0.1". The name is 1 to 239
 * printable ASCII characters and unique in the net. The last dimension counts as the output channels. */
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

/* Whole numbers from low <= 0 to high >= 0, each standing for so many times the scale. */
typedef struct hk_steps {
    double scale;
    int low, high; /* at most HK_MOST_STEPS from 0 */
} hk_steps;
#define HK_MOST_STEPS 65535
/* x in whole steps, as integers of few bits would hold it: scale times x / scale, which is clamped to
 * [low, high] and rounded to the nearest whole number, halves to even. Gradients pass where x is within the
 * range, and are 0 elsewhere (Bengio, Leonard, Courville 2013, arXiv:1308.3432, "straight through"). */
hk_tensor *hk_quantise_steps(hk_tensor *x, hk_steps steps);

/* ---- Reductions: reduced axes keep extent 1, so that the result broadcasts back ----------------- */
#define HK_AXIS(i) (1u << (i))
#define HK_ALL_AXES 0u /* every axis; the result is a scalar, with 0 dimensions */
hk_tensor *hk_sum(hk_tensor *x, unsigned axes);
hk_tensor *hk_mean(hk_tensor *x, unsigned axes); /* batch axis: over the samples of the run */

/* ---- Shape -------------------------------------------------------------------------------------- */
/* The number of elements stays; the first dimension of a batched tensor stays HK_BATCH. */
hk_tensor *hk_reshape(hk_tensor *x, hk_shape shape);
hk_tensor *hk_flatten(hk_tensor *x);              /* [batch, everything else] */
hk_tensor *hk_concat(hk_tensor *a, hk_tensor *b); /* on the last dimension */

/* ---- Products ------------------------------------------------------------------------------------ */
hk_tensor *hk_matmul(hk_tensor *a, hk_tensor *b); /* [..., m, k] x [k, n] = [..., m, n] */

/* How the edges of an image are padded. */
typedef enum hk_padding {
    HK_SAME = 0, /* zero padding so that output = ceil(input / stride); if odd, more at the end */
    HK_VALID,    /* none */
    HK_EXPLICIT  /* `pad` zeros on every side */
} hk_padding;

typedef struct hk_window {
    int stride, dilation, groups; /* 0 counts as 1 */
    hk_padding padding;
    int pad; /* for HK_EXPLICIT */
} hk_window;

/* x[batch, h, w, c], filters[kh, kw, c / groups, k], bias[k]; `bias` may be NULL: none.
 * Cross-correlation: filters are not flipped. */
hk_tensor *hk_conv2d(hk_tensor *x, hk_tensor *filters, hk_tensor *bias, hk_window window);
/* Windows of size x size; with HK_VALID, only those inside the image. */
hk_tensor *hk_maxpool2d(hk_tensor *x, int size, hk_window window);
hk_tensor *hk_avgpool2d(hk_tensor *x, int size, hk_window window); /* padding not counted */
hk_tensor *hk_global_avgpool(hk_tensor *x); /* [batch, h, w, c] -> [batch, c] */

/* ---- Softmax and losses; a loss is the mean over all samples, a scalar --------------------------- */
hk_tensor *hk_softmax(hk_tensor *x); /* over the last dimension */
/* logits[batch, classes], labels[batch]; targets are (1 - smoothing) onehot + smoothing / classes.
 * A label outside 0 .. classes - 1 makes the loss NaN. */
hk_tensor *hk_cross_entropy(hk_tensor *logits, hk_tensor *labels, double smoothing);
/* The same with weights[classes], copied: sum of w[label] loss / sum of w[label] over the samples; with
 * smoothing, the term of class k in a target is times w[k]. As in PyTorch 1.13.
 * HK_BAD_ARGUMENT: a weight outside 1e-6 .. 1e6. */
hk_tensor *hk_weighted_cross_entropy(hk_tensor *logits, hk_tensor *labels, double smoothing,
                                     const double *weights);
hk_tensor *hk_binary_cross_entropy(hk_tensor *logits, hk_tensor *targets); /* of logits */
hk_tensor *hk_mse(hk_tensor *y, hk_tensor *target); /* mean of (y - target)^2 */
hk_tensor *hk_huber(hk_tensor *y, hk_tensor *target, double delta);

/* ---- Noise: the identity in evaluation, except for hk_mc_dropout. Of rate or deviation 0: x itself ---- */
hk_tensor *hk_dropout(hk_tensor *x, double rate);         /* inverted: what is kept / (1 - rate) */
hk_tensor *hk_channel_dropout(hk_tensor *x, double rate); /* drops whole channels */
/* Sets dropped values to the minimum of selu, then restores mean 0 and variance 1. */
hk_tensor *hk_alpha_dropout(hk_tensor *x, double rate);
hk_tensor *hk_channel_alpha_dropout(hk_tensor *x, double rate);
hk_tensor *hk_gaussian_dropout(hk_tensor *x, double rate);    /* x N(1, rate / (1 - rate)) */
hk_tensor *hk_gaussian_noise(hk_tensor *x, double deviation); /* x + N(0, deviation^2) */
/* Stochastic depth: drops the residual branch x of whole samples; what is kept / (1 - rate). */
hk_tensor *hk_drop_path(hk_tensor *x, double rate);
/* Drops squares of size x size in the maps of channels and scales the rest of the sample up to
 * compensate. A size beyond the map is reduced to the map. */
hk_tensor *hk_drop_block(hk_tensor *x, double rate, int size);
/* Monte Carlo dropout, active in evaluation, too: repeated hk_plan_forward() on the same inputs, with
 * hk_plan_commit() after each for a new mask, samples predictions; their mean predicts, their spread
 * estimates the uncertainty. */
hk_tensor *hk_mc_dropout(hk_tensor *x, double rate);

/* ---- Plans --------------------------------------------------------------------------------------- */

typedef struct hk_plan_options {
    int64_t
        batch;    /* maximum number of samples of a run, of all processes together; 0 counts as 1 */
    int training; /* 1: training mode of dropout and normalizations */
    hk_tensor *loss;        /* a scalar, for the backward pass; NULL: forward only */
    hk_tensor *output;      /* a tensor whose value can be read; NULL: only the loss */
    hk_tensor *const *keep; /* [n_keep] further tensors whose values and gradients can be read */
    int n_keep;
    int probe; /* 1: keeps the input and output of every activation */
    /* The batch in parts (team.h), for training; 0 counts as 1. Each part has dropout masks of its own. */
    int parts;
    const hk_team
        *team; /* who shares them; its `user` must outlive the plan. NULL: this process alone */
    int own_statistics; /* 1: normalization over the batch sees its own part alone, not all parts */
} hk_plan_options;

/* Makes a plan. With parts, HK_BAD_ARGUMENT: an operation over the whole batch other than normalizations and
 * losses, such as hk_mean() over samples; a number that is no power of two; more processes than parts.
 * The first plan of a net initializes its parameters: only now is it known which
 * activation follows which weight. Free the plan before its net. */
hk_status hk_plan_new(hk_net *net, const hk_plan_options *options, hk_plan **out);
void hk_plan_free(hk_plan *plan);
int64_t hk_plan_bytes(const hk_plan *plan); /* size of all its buffers */
/* The size that such a plan would have; allocates and initializes nothing. */
hk_status hk_plan_size(hk_net *net, const hk_plan_options *options, int64_t *bytes);

/* The buffer of an input (to write), or of an output, loss, kept tensor or parameter (to read), for the
 * plan's batch size; with a team, for the samples of this process, n rank / ranks to n (rank + 1) / ranks.
 * NULL for other tensors, whose buffers are reused. */
float *hk_plan_value(hk_plan *plan, const hk_tensor *tensor);
const float *hk_plan_gradient(hk_plan *plan, const hk_tensor *tensor);

/* Computes n samples, of all processes together. HK_BAD_ARGUMENT unless 1 <= n <= batch; HK_IO: a process
 * of the team was lost. */
hk_status hk_plan_forward(hk_plan *plan, int64_t n);

/* Backpropagates, once per forward run, from the loss. Gradients of parameters accumulate until the next
 * optimizer step or hk_net_clear_gradients().
 * HK_BAD_ARGUMENT: the plan has no loss, or there was no forward run since the last backward. HK_IO: as
 * above; gradients are then not whole. */
hk_status hk_plan_backward(hk_plan *plan);

/* Ends a training step: plugins update their state (running averages, thresholds) from the last
 * training forward, and random numbers advance. hk_optimizer_step() calls it; call it yourself only in
 * a loop without optimizer. */
void hk_plan_commit(hk_plan *plan);

#ifdef __cplusplus
}
#endif
