/* ops/ops.h - what the operations share, and those that only nn records. */
#pragma once
#include "graph/graph.h"
#include "plugin/registry.h"

/* ---- Entries that many tables share ---------------------------------------------------------------- */

static inline hki_operands hki_reads_operands(const hk_tensor *y) /* the first two inputs */
{
    (void)y;
    return 3;
}
static inline hki_operands hki_reads_result(const hk_tensor *y)
{
    (void)y;
    return HKI_OUTPUT_BIT;
}
static inline bool hki_always(const hk_tensor *y)
{
    (void)y;
    return true;
}

/* ---- Axes: repetition along them, and sums (axes.c) -------------------------------------------------- */

/* small has big's dimensions, aligned at the last, or extent 1 there. */
bool hki_broadcasts_to(const hk_shape *small, const hk_shape *big);
/* Both shapes with big's number of dimensions and the batch filled in. */
typedef struct hki_aligned {
    int ndim;
    int64_t big[HK_MAX_DIMS], small[HK_MAX_DIMS],
        stride[HK_MAX_DIMS]; /* small's, 0 where it is repeated */
    int64_t big_count, small_count;
} hki_aligned;
hki_aligned hki_align(const hk_shape *big, const hk_shape *small, int64_t batch);
/* Where in small a row of big begins, counted along big's last dimension. */
int64_t hki_row_at(const hki_aligned *a, int64_t row);
/* out[small] = scale * sums of x[big] over the axes that small lacks; in double, fixed order.
 * scratch: hki_sum_scratch bytes. */
size_t hki_sum_scratch(const hk_shape *big, const hk_shape *small, int64_t batch);
void hki_sum_to(const hk_shape *big, const hk_shape *small, int64_t batch, double scale,
                const float *x, float *out, void *scratch);
/* out[big] = scale * x[small], repeated. */
void hki_spread_to(const hk_shape *small, const hk_shape *big, int64_t batch, float scale,
                   const float *x, float *out);

/* ---- Chunks: how a block of rows is cut for private sums (chunks.c) ---------------------------------- */

/* At most 64 chunks of whole rows, a multiple of `grain` rows each, cut by the number alone. */
typedef struct hki_chunks {
    int64_t rows, size;
    int count;
} hki_chunks;
enum { HKI_MAX_CHUNKS = 64 };
hki_chunks hki_chunks_of(int64_t rows, int64_t channels, int64_t grain);
/* Enough for any number of rows up to this one: fewer rows can make more chunks. */
int hki_chunks_most(int64_t rows, int64_t channels, int64_t grain);
static inline int64_t hki_chunk_end(const hki_chunks *chunks, int64_t first)
{
    return first + chunks->size < chunks->rows ? first + chunks->size : chunks->rows;
}
/* Rows of a tile that fits in the first-level cache. */
int64_t hki_tile_rows(int64_t channels);
/* Sum of term(context, i) for i < n: chunks of fixed size, added in order. A term is about `work`
 * elementary operations. */
double hki_sum_terms(int64_t n, int64_t work, double (*term)(const void *context, int64_t i),
                     const void *context);

/* ---- Recorded by nn ------------------------------------------------------------------------------------ */

/* matmul with an optional bias[n]. */
hk_tensor *hki_linear(hk_tensor *x, hk_tensor *weight, hk_tensor *bias);
/* slots: learned and state leaves in table order. hki_compute_use(): the inputs are x and they. */
hk_tensor *hki_compute_use(const hki_op *op, hk_tensor *x, const hki_use *use,
                           hk_tensor *const *slots, hk_shape shape);
hk_tensor *hki_activate(hk_tensor *x, const hki_use *use, hk_tensor *const *slots);
hk_tensor *hki_normalize(hk_tensor *x, const hki_use *use, hk_tensor *const *slots);
/* f(x), but g(x) in channels where mask[channels] is above 0; f and g have passed
 * hki_override_check(). Part 0 is f, part 1 g, each as a tensor of its own that no plan
 * knows. Another activation is its own part 0. */
hk_tensor *hki_override_channels(hk_tensor *x, const hki_use *f, hk_tensor *const *f_slots,
                                 hk_tensor *mask, const hki_use *g, hk_tensor *const *g_slots);
hk_status hki_override_check(const hki_use *f, const hki_use *g);
bool hki_is_channel_override(const hk_tensor *tensor);
bool hki_is_activation(const hk_tensor *tensor);    /* one, or a channel override */
bool hki_is_normalization(const hk_tensor *tensor); /* of outputs, not of a weight */
const hk_tensor *hki_override_part(const hk_tensor *y, int i);
hk_tensor *hki_override_mask(const hk_tensor *y);
hk_tensor *hki_normalize_weight(hk_tensor *weight, const hki_use *use, hk_tensor *const *slots);
/* A weight of which a training step leaves a share out; kept ones / (1 - rate). */
hk_tensor *hki_drop_connect(hk_tensor *weight, double rate);

/* HK_BAD_SHAPE unless y->inputs[first .. first + n - 1] are the slots of this use in a block of `rows`
 * rows and the channels of x. */
hk_status hki_check_slots(const hki_use *use, const hk_tensor *y, int first, int n, int64_t rows,
                          const hk_shape *x);

extern const hki_op hki_op_linear, hki_op_conv2d, hki_op_activate, hki_op_override,
    hki_op_normalize, hki_op_normalize_weight, hki_op_drop_connect, hki_op_reshape, hki_op_add,
    hki_op_sub, hki_op_mul, hki_op_div, hki_op_exp, hki_op_log, hki_op_pow, hki_op_scale,
    hki_op_quantise, hki_op_reduce, hki_op_concat, hki_op_softmax, hki_op_maxpool, hki_op_avgpool,
    hki_op_dropout, hki_op_alpha_dropout, hki_op_gaussian_dropout, hki_op_gaussian_noise,
    hki_op_drop_path, hki_op_drop_block, hki_op_fused;
/* y = what x becomes in these steps; y may be x. */
void hki_quantise(const hk_steps *steps, int64_t n, const float *x, float *y);
/* The operation that files call `name`; NULL: none. hki_op_at: the i-th, from 0; NULL after the last. */
const hki_op *hki_op_at(int i);
const hki_op *hki_op_find(const char *name);
/* A convolution or dense layer: x, weight and perhaps a bias. */
static inline bool hki_is_product(const hk_tensor *tensor)
{
    return tensor->op == &hki_op_conv2d || tensor->op == &hki_op_linear;
}
/* Which plugin an activation or normalization uses; of a mix, the first. */
const hki_use *hki_use_of(const hk_tensor *tensor);
hk_domain hki_domain_of(const hki_use *use);
/* The context a plugin sees that computes y, an activation or normalization of this call or one that
 * the call's tensor stands for. slots must have HK_MAX_SLOTS places. */
hk_context hki_context_of(const hki_call *call, const hk_tensor *y, float **slots);

/* ---- Block kernels over the rows of a tensor (tiles.c) ------------------------------------------------- */

/* A plugin's forward kernel over a block of rows, or with whole.dy its backward one. `whole` is the block
 * as one tile: x, y, aux, dy, dx; a dx of NULL is not wanted. */
typedef struct hki_pass {
    const hk_plugin *plugin;
    hk_context context;
    int64_t channels_out;
    hk_tile whole;
    float *scratch; /* hki_pass_scratch() floats, or more; not NULL */
} hki_pass;
int64_t hki_pass_scratch(const hki_pass *pass);
/* Returns how many chunks have left sums or gradients of their own at the start of their scratch,
 * *stride floats apart. */
int hki_pass_run(const hki_pass *pass, int64_t *stride);
/* sums[n_sums x channels] = those of a forward run's chunks. */
void hki_pass_sums(const hki_pass *pass, int parts, int64_t stride, double *sums);

hki_operands hki_tiles_reads(const hk_tensor *y);
size_t hki_tiles_saved(const hk_tensor *y, int64_t batch);
size_t hki_tiles_scratch(const hk_tensor *y, int64_t batch);
/* sums[n_sums x channels], or NULL. */
void hki_tiles_forward(const hki_call *call, double *sums);
void hki_tiles_backward(const hki_call *call);
/* The gradients of learned slots, one behind the other: their length, pointers into them, and the
 * sum over n parts into dslots[slot], NULL where it is not wanted. */
int64_t hki_learned_floats(const hk_plugin *plugin, int64_t rows, int64_t channels);
void hki_point_slots(const hk_plugin *plugin, int64_t rows, int64_t channels, float *own,
                     float **dslots);
void hki_gather_slots(float *const *dslots, const hk_plugin *plugin, int64_t rows, int64_t channels,
                      const float *parts, int n, int64_t stride);
/* Without parts: points to where the gradients from dx[first] on are wanted, else into `unwanted`,
 * which has room for all, and clears them. */
void hki_clear_slots(const hki_call *call, int first, const hk_plugin *plugin, int64_t rows,
                     int64_t channels, float *unwanted, float **dslots);
/* Mean over channels of the first sum per row. */
double hki_mean_activity(int64_t rows, int64_t channels, const double *sums);
/* Clamps the slots of the call's tensor to their ranges. */
void hki_clamp_slots(const hki_call *call);

typedef struct hki_conv hki_conv;
typedef struct hki_epilogue hki_epilogue;
hki_conv hki_conv_of(const hk_tensor *conv, int64_t batch);
/* Backward of a convolution; `after`, or NULL, sees the rows of its data gradient as they are made. */
void hki_conv_backward(const hki_call *call, const hki_epilogue *after);
/* Output size of a convolution or pooling along one dimension, zeros before the first row or column;
 * false with a message when nothing fits. */
bool hki_window_extent(const char *what, int size, int kernel, const hk_window *window, int *out,
                       int *before);
