/* Softmax, and losses: means over all samples of the run, computed from logits where that is the
 * stable way. */
#include "ops/ops.h"

#include <math.h>

#include <hillock/kernel.h>

#include "engine/kernels.h"

/* ---- Softmax over the last dimension: Bridle 1990 ------------------------------------------------ */

static void softmax_forward(const hki_call *call)
{
    const hki_kernels *kernels = hki_kernels_active();
    const hk_shape *shape = &call->tensor->shape;
    int64_t n = hki_channels(shape), rows = hki_rows(shape, call->batch);
#pragma omp parallel for num_threads(hki_threads_for((rows * n))) schedule(static)
    for (int64_t r = 0; r < rows; r++)
        kernels->softmax(1, n, call->x[0] + r * n, call->y + r * n);
}

/* dx = y (dy - sum(dy y)) */
static void softmax_backward(const hki_call *call)
{
    const hk_shape *shape = &call->tensor->shape;
    int64_t n = hki_channels(shape), rows = hki_rows(shape, call->batch);
#pragma omp parallel for num_threads(hki_threads_for((rows * n))) schedule(static)
    for (int64_t r = 0; r < rows; r++) {
        const float *y = call->y + r * n, *dy = call->dy + r * n;
        float *dx = call->dx[0] + r * n, sum = 0;
        for (int64_t i = 0; i < n; i++)
            sum += dy[i] * y[i];
        for (int64_t i = 0; i < n; i++)
            dx[i] = y[i] * (dy[i] - sum);
    }
}

static hk_tensor *softmax_again(const hk_tensor *like)
{
    return hk_softmax(like->inputs[0]);
}

const hki_op hki_op_softmax = {.name = "softmax",
                               .operands = 1,
                               .again = softmax_again,
                               .forward = softmax_forward,
                               .backward = softmax_backward,
                               .reads = hki_reads_result};

hk_tensor *hk_softmax(hk_tensor *x)
{
    if (hki_null_operand("softmax", x))
        return NULL;
    return hki_compute(&hki_op_softmax, &x, 1, x->shape, NULL);
}

/* ---- What losses share -------------------------------------------------------------------------------- */

/* A loss is a quotient of what all samples gather: [0] a sum, [1] the number or weight of what was added,
 * which is kept for backward. */
static size_t loss_gathers(const hki_call *call, bool back)
{
    (void)call;
    return back ? 0 : 2;
}

static void loss_forward(const hki_call *call)
{
    *call->y = (float)(call->whole[0] / call->whole[1]);
    *(double *)call->saved = call->whole[1];
}

static float loss_scale(const hki_call *call)
{
    return *call->dy / (float)*(const double *)call->saved;
}

static size_t loss_saved(const hk_tensor *y, int64_t batch)
{
    (void)y;
    (void)batch;
    return sizeof(double);
}

/* ---- Softmax cross-entropy ------------------------------------------------------------------------- */

typedef struct entropy {
    int64_t classes, samples;
    const float *logits, *labels;
    const float *weights; /* of the classes, or NULL */
    float smoothing;
    double total; /* of all weights */
} entropy;

static entropy entropy_of(const hki_call *call)
{
    entropy e = {.classes = hki_channels(&call->tensor->inputs[0]->shape),
                 .samples = call->batch,
                 .logits = call->x[0],
                 .labels = call->x[1],
                 .weights = call->tensor->n_inputs > 2 ? call->x[2] : NULL,
                 .smoothing = *(const float *)call->tensor->attributes};
    for (int64_t k = 0; e.weights && k < e.classes; k++)
        e.total += (double)e.weights[k];
    return e;
}

/* The class of a sample; -1 for a number that is none, such as 0.5. */
static int64_t label_of(const entropy *e, int64_t sample)
{
    float label = e->labels[sample];
    return label >= 0 && label < (float)e->classes && label == truncf(label) ? (int64_t)label : -1;
}

/* -sum of target log p = log sum exp(z) - sum of target z; `lse` is the first. */
static double entropy_of_sample(const entropy *e, const float *z, int64_t label, double lse)
{
    const double smoothing = (double)e->smoothing;
    double all = 0;
    for (int64_t k = 0; e->smoothing > 0 && k < e->classes; k++)
        all += e->weights ? (double)e->weights[k] * (double)z[k] : (double)z[k];
    if (!e->weights)
        return lse - (1 - smoothing) * (double)z[label] - smoothing * all / (double)e->classes;
    return (1 - smoothing) * (double)e->weights[label] * (lse - (double)z[label]) +
           smoothing * (e->total * lse - all) / (double)e->classes;
}

/* Of up to RUN samples. */
enum { RUN = 64 };
static double entropy_of_run(const void *context, int64_t run)
{
    const entropy *e = context;
    float most[RUN], sum[RUN]; /* the largest z, and of exp(z - most) */
    int64_t first = run * RUN, n = e->samples - first < RUN ? e->samples - first : RUN;
    double total = 0;
    hki_kernels_active()->softmax_sums(n, e->classes, e->logits + first * e->classes, most, sum);
    for (int64_t i = 0; i < n; i++) {
        int64_t label = label_of(e, first + i);
        total += label < 0 ? (double)NAN
                           : entropy_of_sample(e, e->logits + (first + i) * e->classes, label,
                                               (double)most[i] + (double)hks_log(sum[i]));
    }
    return total;
}

/* What the sum over samples is divided by: their number, or the sum of their weights. */
static double entropy_weight(const entropy *e)
{
    double sum = 0;
    for (int64_t s = 0; e->weights && s < e->samples; s++) {
        int64_t label = label_of(e, s);
        sum += label < 0 ? 0 : (double)e->weights[label];
    }
    return e->weights ? sum : (double)e->samples;
}

static void entropy_gather(const hki_call *call, bool back, double *own)
{
    entropy e = entropy_of(call);
    int64_t runs = (call->batch + RUN - 1) / RUN;
    (void)back;
    own[0] = hki_sum_terms(runs, RUN * e.classes, entropy_of_run, &e);
    own[1] = entropy_weight(&e);
}

/* dz = scale (softmax(z) - target), or with weights, where t[k] is target[k] weight[k],
 * scale (sum(t) softmax(z) - t); p is softmax(z), which becomes dz. */
static void entropy_slope(const entropy *e, int64_t label, float scale, float *p)
{
    float own = label < 0 ? NAN : 1 - e->smoothing, rest = e->smoothing / (float)e->classes;
    int64_t at = label < 0 ? 0 : label;
    if (!e->weights) {
        p[at] -= own;
        for (int64_t i = 0; i < e->classes; i++)
            p[i] = scale * (p[i] - rest);
        return;
    }
    own *= e->weights[at];
    for (int64_t i = 0; i < e->classes; i++)
        p[i] = scale * ((own + rest * (float)e->total) * p[i] - rest * e->weights[i]);
    p[at] -= scale * own;
}

static void entropy_backward(const hki_call *call)
{
    entropy e = entropy_of(call);
    const hki_kernels *kernels = hki_kernels_active();
    const float scale = loss_scale(call);
#pragma omp parallel for num_threads(hki_threads_for((call->batch * e.classes))) schedule(static)
    for (int64_t s = 0; s < call->batch; s++) {
        float *dz = call->dx[0] + s * e.classes;
        kernels->softmax(1, e.classes, e.logits + s * e.classes, dz);
        entropy_slope(&e, label_of(&e, s), scale, dz);
    }
}

static const hki_op op_cross_entropy = {.name = "cross entropy",
                                        .attribute_bytes = sizeof(float),
                                        .gathers = loss_gathers,
                                        .gather = entropy_gather,
                                        .forward = loss_forward,
                                        .backward = entropy_backward,
                                        .saved_bytes = loss_saved,
                                        .reads = hki_reads_operands};

/* With `weights`, or NULL. */
static hk_tensor *cross_entropy(hk_tensor *logits, hk_tensor *labels, double smoothing,
                                hk_tensor *weights)
{
    if (logits->shape.ndim != 2 || !hki_is_batched(&logits->shape) || labels->shape.ndim != 1 ||
        !hki_is_batched(&labels->shape))
        return hki_fail_null(HK_BAD_SHAPE,
                             "cross entropy: expects logits [batch, classes] and labels [batch], "
                             "not %s and %s",
                             hki_shape_text(&logits->shape), hki_shape_text(&labels->shape));
    if (!(smoothing >= 0 && smoothing < 1))
        return hki_fail_null(HK_BAD_ARGUMENT, "cross entropy: smoothing %g is outside [0, 1)",
                             smoothing);
    float value = (float)smoothing;
    return hki_compute(&op_cross_entropy, (hk_tensor *[]){logits, labels, weights}, weights ? 3 : 2,
                       (hk_shape){0}, &value);
}

hk_tensor *hk_cross_entropy(hk_tensor *logits, hk_tensor *labels, double smoothing)
{
    if (hki_null_operand("cross entropy", logits, labels))
        return NULL;
    return cross_entropy(logits, labels, smoothing, NULL);
}

hk_tensor *hk_weighted_cross_entropy(hk_tensor *logits, hk_tensor *labels, double smoothing,
                                     const double *weights)
{
    if (hki_null_operand("weighted cross entropy", logits, labels, weights))
        return NULL;
    const int64_t classes = hki_channels(&logits->shape);
    float *values = hki_alloc_array((size_t)classes, sizeof *values);
    hk_tensor *kept = NULL;
    for (int64_t i = 0; values && i < classes; i++) {
        values[i] = (float)weights[i];
        if (!(weights[i] >= 1e-6 && weights[i] <= 1e6)) {
            hki_free(values);
            return hki_fail_null(
                HK_BAD_ARGUMENT,
                "cross entropy: the weight of class %lld is %g, expected 1e-6 to 1e6", (long long)i,
                weights[i]);
        }
    }
    if (values)
        kept = hk_constant(logits->net, HK_SHAPE((int)classes), values);
    hki_free(values);
    return kept ? cross_entropy(logits, labels, smoothing, kept) : NULL;
}

/* ---- Losses of each element against a target of the same shape ------------------------------------- */

typedef struct element_loss {
    enum { SQUARE, HUBER, BINARY } kind;
    float delta; /* of HUBER */
} element_loss;

/* By y; a loss of y - target has the opposite slope by target. */
static float loss_slope(const element_loss *loss, float y, float target)
{
    float d = y - target;
    switch (loss->kind) {
    case SQUARE: return 2 * d;
    case HUBER: return d > loss->delta ? loss->delta : d < -loss->delta ? -loss->delta : d;
    default: return hks_sigmoid(y) - target;
    }
}

static double element_term(const void *user, int64_t i)
{
    const hki_call *call = user;
    const element_loss *loss = call->tensor->attributes;
    const float y = call->x[0][i], target = call->x[1][i];
    double d = loss->kind == SQUARE ? (double)y - (double)target : (double)hks_abs(y - target);
    double limit = (double)loss->delta;
    switch (loss->kind) {
    case SQUARE: return d * d;
    case HUBER: return d < limit ? d * d / 2 : limit * (d - limit / 2); /* Huber 1964 */
    default: /* max(y, 0) - y t + log1p(exp(-|y|)) */
        return (double)((y > 0 ? y : 0) - y * target + hks_log1p(hks_exp(-hks_abs(y))));
    }
}

static void element_gather(const hki_call *call, bool back, double *own)
{
    int64_t n = hki_count(&call->tensor->inputs[0]->shape, call->batch);
    (void)back;
    own[0] = hki_sum_terms(n, 1, element_term, call);
    own[1] = (double)n;
}

/* Both gradients, where wanted. */
static void element_backward(const hki_call *call)
{
    int64_t n = hki_count(&call->tensor->inputs[0]->shape, call->batch);
    const element_loss *loss = call->tensor->attributes;
    const float scale = loss_scale(call);
#pragma omp parallel for num_threads(hki_threads_for(n)) schedule(static)
    for (int64_t i = 0; i < n; i++) {
        float y = call->x[0][i], slope = loss_slope(loss, y, call->x[1][i]);
        if (call->dx[0])
            call->dx[0][i] = scale * slope;
        if (call->dx[1])
            call->dx[1][i] = scale * (loss->kind == BINARY ? -y : -slope);
    }
}

#define ELEMENT_LOSS(name_)                                                                        \
    {                                                                                              \
        .name = name_, .attribute_bytes = sizeof(element_loss), .gathers = loss_gathers,           \
        .gather = element_gather, .forward = loss_forward, .backward = element_backward,           \
        .saved_bytes = loss_saved, .reads = hki_reads_operands                                     \
    }
static const hki_op op_mse = ELEMENT_LOSS("mean squared error"),
                    op_huber = ELEMENT_LOSS("huber loss"),
                    op_binary = ELEMENT_LOSS("binary cross entropy");

static hk_tensor *record(const hki_op *op, hk_tensor *y, hk_tensor *target, element_loss loss)
{
    if (hki_null_operand(op->name, y, target))
        return NULL;
    if (!hki_same_shape(&y->shape, &target->shape))
        return hki_fail_null(HK_BAD_SHAPE, "%s: values %s and targets %s differ in shape", op->name,
                             hki_shape_text(&y->shape), hki_shape_text(&target->shape));
    return hki_compute(op, (hk_tensor *[]){y, target}, 2, (hk_shape){0}, &loss);
}

hk_tensor *hk_mse(hk_tensor *y, hk_tensor *target)
{
    return record(&op_mse, y, target, (element_loss){.kind = SQUARE});
}

hk_tensor *hk_huber(hk_tensor *y, hk_tensor *target, double delta)
{
    if (!(delta > 0))
        return hki_fail_null(HK_BAD_ARGUMENT, "huber loss: delta %g is not above 0", delta);
    return record(&op_huber, y, target, (element_loss){.kind = HUBER, .delta = (float)delta});
}

hk_tensor *hk_binary_cross_entropy(hk_tensor *logits, hk_tensor *targets)
{
    return record(&op_binary, logits, targets, (element_loss){.kind = BINARY});
}
