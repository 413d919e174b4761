/* Which units learn, by the gradient that arrives at their weights. */
#include "train/learning.h"

#include <math.h>
#include <string.h>

#include "data/data.h"
#include "engine/kernels.h"
#include "nn/nn.h"
#include "ops/ops.h"

enum { BATCH = 128, MAX_WEIGHTS = 8 };
/* A norm that counts as 0, as a share of the largest in the net: no float weight is changed by it, and beside
 * adam's eps it is nothing. A sigmoid at 60 has a slope of 1e-26, not 0. */
static const double nothing = 1e-9;

/* The units of one activation. */
typedef struct layer {
    const hk_tensor *activation;
    int64_t columns, units;          /* what goes into it, what comes out */
    hk_tensor *weights[MAX_WEIGHTS]; /* [..., columns] */
    int n_weights;
    double *squares; /* [columns], of the gradients of their weights so far */
} layer;

struct hki_learning {
    hk_tensor *logits, *labels;
    const hk_tensor *input;
    const hk_data *data;
    hk_plan *plan, *own_plan; /* own_plan: NULL where the plan is another's */
    int n_tensors;            /* of the net, before a loss was recorded */
    int64_t done;             /* images seen */
    layer *layers;
    int n_layers;
    double largest; /* square of the largest norm in the net */
};

/* ---- Incoming weights ------------------------------------------------------------------------ */

static void add_weight(layer *l, hk_tensor *weight)
{
    if (weight->role == HKI_LEARNED && !weight->frozen && l->n_weights < MAX_WEIGHTS &&
        hki_channels(&weight->shape) == l->columns)
        l->weights[l->n_weights++] = weight;
}

static bool add_gamma(layer *l, const hk_tensor *t)
{
    const int before = l->n_weights;
    for (int i = 1; i < t->n_inputs && hki_is_normalization(t); i++)
        if (!strcmp(hki_use_of(t)->plugin->slots[i - 1].name, "gamma"))
            add_weight(l, t->inputs[i]);
    return l->n_weights > before;
}

/* Back from what goes into the activation, as long as nothing else reads it: to the weights of dense layers
 * and convolutions, or to the gamma of a normalization, which stands before them: through the statistics of
 * groups the weights have gradients of other units, too. A bias is none: it learns nothing of the input. */
static void find_weights(layer *l, const hk_tensor *t)
{
    if (t->role != HKI_COMPUTED || hki_readers(t) != 1 || hki_channels(&t->shape) != l->columns)
        return;
    if (hki_is_product(t)) {
        hk_tensor *weight = t->inputs[1];
        while (weight->op)
            weight = weight->inputs[0];
        add_weight(l, weight);
        return;
    }
    const bool is_done = add_gamma(l, t);
    for (int i = 0; i < t->n_inputs && !is_done; i++)
        find_weights(l, t->inputs[i]);
}

static hk_status open_layers(hki_learning *it)
{
    const hk_net *net = it->logits->net;
    it->layers = hki_alloc_array((size_t)it->logits->id + 1, sizeof *it->layers);
    if (!it->layers)
        return HK_NO_MEMORY;
    for (int id = 0; id <= it->logits->id; id++) {
        const hk_tensor *y = net->tensors[id];
        if (y->role != HKI_COMPUTED || !hki_is_activation(y))
            continue;
        layer *l = &it->layers[it->n_layers++];
        l->activation = y;
        l->columns = hki_channels(&y->inputs[0]->shape);
        l->units = hki_channels(&y->shape);
        find_weights(l, y->inputs[0]);
        l->squares = hki_alloc_array((size_t)l->columns, sizeof *l->squares);
        if (!l->squares)
            return HK_NO_MEMORY;
    }
    return HK_OK;
}

/* ---- Opening --------------------------------------------------------------------------------- */

static hk_status make(hk_tensor *logits, const hk_data *data, hki_learning **out)
{
    hki_learning *it = *out = hki_alloc(sizeof *it);
    if (!it)
        return HK_NO_MEMORY;
    *it = (hki_learning){.logits = logits,
                         .input = hk_tensor_input(logits),
                         .data = data,
                         .n_tensors = logits->net->n_tensors};
    return open_layers(it);
}

static hk_status make_plan(hki_learning *it)
{
    hk_net *net = it->logits->net;
    hk_tensor *loss;
    if (it->data->targets) {
        it->labels = hk_input(net, 1);
        loss = hk_mse(it->logits, it->labels);
    } else {
        it->labels = hk_labels(net);
        loss = hk_cross_entropy(it->logits, it->labels, 0);
    }
    hk_plan_options options = {.batch = BATCH, .training = 1, .loss = loss};
    hk_status status = loss ? hk_plan_new(net, &options, &it->own_plan) : hk_last_status();
    it->plan = it->own_plan;
    return status;
}

static hk_status or_nothing(hk_status status, hki_learning **out)
{
    if (!status)
        return HK_OK;
    hki_learning_free(*out);
    *out = NULL;
    return status;
}

hk_status hki_learning_open(hk_tensor *logits, const hk_data *data, hki_learning **out)
{
    hk_status status = make(logits, data, out);
    if (!status)
        status = make_plan(*out);
    return or_nothing(status, out);
}

hk_status hki_learning_by(hk_plan *plan, hk_tensor *logits, hk_tensor *labels, const hk_data *data,
                          hki_learning **out)
{
    hk_status status = make(logits, data, out);
    if (!status) {
        (*out)->plan = plan;
        (*out)->labels = labels;
    }
    return or_nothing(status, out);
}

void hki_learning_free(hki_learning *it)
{
    if (!it)
        return;
    hk_plan_free(it->own_plan);
    if (it->own_plan || !it->plan)
        hki_net_forget(it->logits->net, it->n_tensors);
    for (int i = 0; i < it->n_layers; i++)
        hki_free(it->layers[i].squares);
    hki_free(it->layers);
    hki_free(it);
}

/* ---- Batches --------------------------------------------------------------------------------- */

static int64_t common_divisor(int64_t a, int64_t b)
{
    return b ? common_divisor(b, a % b) : a;
}

/* Image p of the order: steps of the golden section, rounded so that each image is met once. */
static int64_t spread(int64_t p, int64_t n)
{
    int64_t step = hki_max((int64_t)(0.6180339887498949 * (double)n), 1);
    while (common_divisor(n, step) > 1)
        step++;
    return p * step % n;
}

void hki_spread_images(const hk_data *data, int64_t first, int64_t count, float *x)
{
    const size_t pixels = hki_image_length(data);
    for (int64_t i = 0; i < count; i++)
        hki_data_images(data, spread(first + i, data->shape.n), 1, x + (size_t)i * pixels);
}

/* Those of this process, where several share the batch. */
static void feed(const hki_learning *it, int64_t count)
{
    const hki_parts *parts = &it->plan->parts;
    const int64_t first = it->done + hki_part_begin(parts, count, parts->first);
    const int64_t own = hki_parts_samples(parts, count);
    float *labels = hk_plan_value(it->plan, it->labels);
    hki_spread_images(it->data, first, own, hk_plan_value(it->plan, it->input));
    for (int64_t i = 0; i < own; i++) {
        int64_t image = spread(first + i, it->data->shape.n);
        labels[i] = it->data->targets ? hki_data_standard_target(it->data, image)
                                      : (float)it->data->labels[image];
    }
}

static void add_gradients(hki_learning *it, layer *l)
{
    for (int w = 0; w < l->n_weights; w++) {
        const float *g = l->weights[w]->gradient;
        const int64_t rows = hki_rows(&l->weights[w]->shape, 1);
        for (int64_t r = 0; r < rows; r++)
            for (int64_t j = 0; j < l->columns; j++)
                l->squares[j] += (double)g[r * l->columns + j] * (double)g[r * l->columns + j];
    }
    for (int64_t j = 0; j < l->columns; j++)
        it->largest = fmax(it->largest, l->squares[j]);
}

static bool all_learn(const hki_learning *it)
{
    for (int i = 0; i < it->n_layers; i++)
        if (hki_not_learning(it, it->layers[i].activation) > 0)
            return false;
    return it->done > 0;
}

static hk_status run(hki_learning *it, int64_t n)
{
    hk_status status = HK_OK;
    while (it->done < n && !all_learn(it) && !status) {
        const int64_t now = hki_next_batch(n - it->done, it->plan->batch);
        hk_net_clear_gradients(it->logits->net);
        feed(it, now);
        status = hk_plan_forward(it->plan, now);
        if (!status)
            status = hk_plan_backward(it->plan);
        for (int i = 0; i < it->n_layers && !status; i++)
            add_gradients(it, &it->layers[i]);
        it->done += now;
    }
    hk_net_clear_gradients(it->logits->net);
    return status;
}

/* Of all that is learned, one behind the other. */
static int64_t copy_gradients(hk_net *net, float *kept, bool back)
{
    int64_t floats = 0;
    for (int id = 0; id < net->n_tensors; id++) {
        hk_tensor *t = net->tensors[id];
        const int64_t n = t->role == HKI_LEARNED ? hki_count(&t->shape, 1) : 0;
        if (kept && n)
            memcpy(back ? t->gradient : kept + floats, back ? kept + floats : t->gradient,
                   (size_t)n * sizeof *kept);
        floats += n;
    }
    return floats;
}

hk_status hki_learning_until(hki_learning *it, int64_t n)
{
    hk_net *net = it->logits->net;
    if (!net->has_gradients)
        return run(it, n);
    float *kept = hki_alloc_array((size_t)copy_gradients(net, NULL, false), sizeof *kept);
    if (!kept)
        return HK_NO_MEMORY;
    copy_gradients(net, kept, false);
    hk_status status = run(it, n);
    copy_gradients(net, kept, true);
    net->has_gradients = true;
    hki_free(kept);
    return status;
}

void hki_learning_restart(hki_learning *it)
{
    it->done = 0;
    it->largest = 0;
    for (int i = 0; i < it->n_layers; i++)
        memset(it->layers[i].squares, 0,
               (size_t)it->layers[i].columns * sizeof *it->layers[i].squares);
}

/* ---- The judgement --------------------------------------------------------------------------- */

int hki_learning_layers(const hki_learning *it)
{
    return it->n_layers;
}

const hk_tensor *hki_learning_tensor(const hki_learning *it, int i)
{
    return it->layers[i].activation;
}

static const layer *layer_of(const hki_learning *it, const hk_tensor *activation)
{
    int i = 0;
    while (it->layers[i].activation != activation)
        i++;
    return &it->layers[i];
}

/* A maxout unit has several columns, u, u + units, ...; a column of crelu makes two units. */
static bool learns(const hki_learning *it, const layer *l, int64_t u)
{
    if (!l->n_weights)
        return true;
    for (int64_t j = u % l->columns; j < l->columns; j += l->units)
        if (!(l->squares[j] <= nothing * nothing * it->largest))
            return true;
    return false;
}

bool hki_learns(const hki_learning *it, const hk_tensor *activation, int64_t u)
{
    return learns(it, layer_of(it, activation), u);
}

double hki_not_learning(const hki_learning *it, const hk_tensor *activation)
{
    const layer *l = layer_of(it, activation);
    int64_t count = 0;
    for (int64_t u = 0; u < l->units; u++)
        count += !learns(it, l, u);
    return l->n_weights ? (double)count / (double)l->units : (double)NAN;
}
