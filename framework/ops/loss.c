/* Softmax, and losses: means over all samples of the run, computed from logits where that is the
 * stable way. */
#include "ops/ops.h"

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

static const hki_op op_softmax = {.name = "softmax",
                                  .forward = softmax_forward,
                                  .backward = softmax_backward,
                                  .reads = hki_reads_result};

hk_tensor *hk_softmax(hk_tensor *x)
{
    return x ? hki_compute(&op_softmax, &x, 1, x->shape, NULL, 0) : NULL;
}

/* ---- Softmax cross-entropy ------------------------------------------------------------------------- */

typedef struct entropy {
    int64_t classes, samples;
    const float *logits, *labels;
    float smoothing;
} entropy;

static entropy entropy_of(const hki_call *call)
{
    return (entropy){.classes = hki_channels(&call->tensor->inputs[0]->shape),
                     .samples = call->batch,
                     .logits = call->x[0],
                     .labels = call->x[1],
                     .smoothing = *(const float *)call->tensor->attributes};
}

/* The class of a sample; -1 for a number that is none. */
static int64_t label_of(const entropy *e, int64_t sample)
{
    float label = e->labels[sample];
    return label >= 0 && label < (float)e->classes ? (int64_t)label : -1;
}

/* -sum of target log p = log sum exp(z) - sum of target z, for one sample whose largest z is `most`
 * and whose exp(z - most) add up to `sum`. */
static double entropy_of_sample(const entropy *e, int64_t sample, float most, float sum)
{
    const float *z = e->logits + sample * e->classes;
    int64_t label = label_of(e, sample);
    double all = 0, smoothing = (double)e->smoothing;
    if (label < 0)
        return (double)NAN;
    for (int64_t i = 0; e->smoothing > 0 && i < e->classes; i++)
        all += (double)z[i];
    return (double)most + (double)hks_log(sum) - (1 - smoothing) * (double)z[label] -
           smoothing * all / (double)e->classes;
}

/* Of up to RUN samples from `first` on. */
enum { RUN = 64 };
static double entropy_of_run(const void *context, int64_t run)
{
    const entropy *e = context;
    float most[RUN], sum[RUN];
    int64_t first = run * RUN, n = e->samples - first < RUN ? e->samples - first : RUN;
    double total = 0;
    hki_kernels_active()->softmax_sums(n, e->classes, e->logits + first * e->classes, most, sum);
    for (int64_t i = 0; i < n; i++)
        total += entropy_of_sample(e, first + i, most[i], sum[i]);
    return total;
}

static void entropy_forward(const hki_call *call)
{
    entropy e = entropy_of(call);
    int64_t runs = (call->batch + RUN - 1) / RUN;
    double sum = hki_sum_terms(runs, RUN * e.classes, entropy_of_run, &e);
    *call->y = (float)(sum / (double)call->batch);
}

/* dz = (softmax(z) - target) dy / samples */
static void entropy_backward(const hki_call *call)
{
    entropy e = entropy_of(call);
    const hki_kernels *kernels = hki_kernels_active();
    float scale = *call->dy / (float)call->batch, rest = e.smoothing / (float)e.classes;
#pragma omp parallel for num_threads(hki_threads_for((call->batch * e.classes))) schedule(static)
    for (int64_t s = 0; s < call->batch; s++) {
        float *dz = call->dx[0] + s * e.classes;
        kernels->softmax(1, e.classes, e.logits + s * e.classes, dz);
        int64_t label = label_of(&e, s);
        dz[label < 0 ? 0 : label] -= label < 0 ? NAN : 1 - e.smoothing;
        for (int64_t i = 0; i < e.classes; i++)
            dz[i] = scale * (dz[i] - rest);
    }
}

static const hki_op op_cross_entropy = {.name = "cross entropy",
                                        .forward = entropy_forward,
                                        .backward = entropy_backward,
                                        .reads = hki_reads_operands};

hk_tensor *hk_cross_entropy(hk_tensor *logits, hk_tensor *labels, double smoothing)
{
    if (!logits || !labels)
        return NULL;
    if (logits->shape.ndim != 2 || !hki_is_batched(&logits->shape) || labels->shape.ndim != 1 ||
        !hki_is_batched(&labels->shape)) {
        hki_fail(HK_BAD_SHAPE,
                 "cross entropy: expects logits [batch, classes] and labels [batch], "
                 "not %s and %s",
                 hki_shape_text(&logits->shape), hki_shape_text(&labels->shape));
        return NULL;
    }
    if (!(smoothing >= 0 && smoothing < 1)) {
        hki_fail(HK_BAD_ARGUMENT, "cross entropy: smoothing %g is outside [0, 1)", smoothing);
        return NULL;
    }
    float value = (float)smoothing;
    return hki_compute(&op_cross_entropy, (hk_tensor *[]){logits, labels}, 2, (hk_shape){0}, &value,
                       sizeof value);
}

/* ---- Losses of each element against a target of the same shape ------------------------------------- */

typedef struct element_loss {
    double (*value)(float y, float target, float v);
    float (*slope)(float y, float target, float v);        /* by y */
    float (*target_slope)(float y, float target, float v); /* NULL: minus the slope */
    float v;
} element_loss;

typedef struct element_terms {
    const element_loss *loss;
    const float *y, *target;
} element_terms;

static double element_term(const void *context, int64_t i)
{
    const element_terms *t = context;
    return t->loss->value(t->y[i], t->target[i], t->loss->v);
}

static void element_forward(const hki_call *call)
{
    int64_t n = hki_count(&call->tensor->inputs[0]->shape, call->batch);
    element_terms terms = {call->tensor->attributes, call->x[0], call->x[1]};
    *call->y = (float)(hki_sum_terms(n, 1, element_term, &terms) / (double)n);
}

/* Both gradients, where wanted; a loss of y - target has opposite ones. */
static void element_backward(const hki_call *call)
{
    int64_t n = hki_count(&call->tensor->inputs[0]->shape, call->batch);
    const element_loss *loss = call->tensor->attributes;
    float scale = *call->dy / (float)n;
#pragma omp parallel for num_threads(hki_threads_for(n)) schedule(static)
    for (int64_t i = 0; i < n; i++) {
        float y = call->x[0][i], target = call->x[1][i];
        float slope = loss->slope(y, target, loss->v);
        if (call->dx[0])
            call->dx[0][i] = scale * slope;
        if (call->dx[1])
            call->dx[1][i] =
                scale * (loss->target_slope ? loss->target_slope(y, target, loss->v) : -slope);
    }
}

static hk_tensor *element(const hki_op *op, hk_tensor *y, hk_tensor *target, element_loss loss)
{
    if (!y || !target)
        return NULL;
    if (!hki_same_shape(&y->shape, &target->shape)) {
        hki_fail(HK_BAD_SHAPE, "%s: values %s and targets %s differ in shape", op->name,
                 hki_shape_text(&y->shape), hki_shape_text(&target->shape));
        return NULL;
    }
    return hki_compute(op, (hk_tensor *[]){y, target}, 2, (hk_shape){0}, &loss, sizeof loss);
}

static double square(float y, float target, float v)
{
    (void)v;
    double d = (double)y - (double)target;
    return d * d;
}
static float square_slope(float y, float target, float v)
{
    (void)v;
    return 2 * (y - target);
}
static const hki_op op_mse = {.name = "mean squared error",
                              .forward = element_forward,
                              .backward = element_backward,
                              .reads = hki_reads_operands};

hk_tensor *hk_mse(hk_tensor *y, hk_tensor *target)
{
    return element(&op_mse, y, target, (element_loss){.value = square, .slope = square_slope});
}

/* d^2 / 2 within v of the target, v (|d| - v / 2) beyond: Huber 1964. */
static double huber(float y, float target, float v)
{
    double d = (double)hks_abs(y - target), limit = (double)v;
    return d < limit ? d * d / 2 : limit * (d - limit / 2);
}
static float huber_slope(float y, float target, float v)
{
    float d = y - target;
    return d > v ? v : d < -v ? -v : d;
}
static const hki_op op_huber = {.name = "huber loss",
                                .forward = element_forward,
                                .backward = element_backward,
                                .reads = hki_reads_operands};

hk_tensor *hk_huber(hk_tensor *y, hk_tensor *target, double delta)
{
    if (!(delta > 0)) {
        hki_fail(HK_BAD_ARGUMENT, "huber loss: delta %g is not above 0", delta);
        return NULL;
    }
    return element(&op_huber, y, target,
                   (element_loss){.value = huber, .slope = huber_slope, .v = (float)delta});
}

/* max(z, 0) - z t + log1p(exp(-|z|)); its slope by z is sigmoid(z) - t. */
static double binary(float z, float target, float v)
{
    (void)v;
    return (double)((z > 0 ? z : 0) - z * target + hks_log1p(hks_exp(-hks_abs(z))));
}
static float binary_slope(float z, float target, float v)
{
    (void)v;
    return hks_sigmoid(z) - target;
}

static float binary_target_slope(float z, float target, float v)
{
    (void)target, (void)v;
    return -z;
}

static const hki_op op_binary = {.name = "binary cross entropy",
                                 .forward = element_forward,
                                 .backward = element_backward,
                                 .reads = hki_reads_operands};

hk_tensor *hk_binary_cross_entropy(hk_tensor *logits, hk_tensor *targets)
{
    return element(&op_binary, logits, targets,
                   (element_loss){.value = binary,
                                  .slope = binary_slope,
                                  .target_slope = binary_target_slope});
}
