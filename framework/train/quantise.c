/* A net in whole steps: ranges on training images, then steps in the graph. */
#include <hillock/quantise.h>

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/spec.h"
#include "data/data.h"
#include "nn/nn.h"
#include "train/evaluate.h"

enum { BATCH = 64 };

/* ---- The spec ------------------------------------------------------------------------------------- */

static const struct {
    const char *name;
    int bits;
} kinds[] = {{"int8", 8}, {"int4", 4}};
static const hk_param params[] = {{.name = "per", .type = HK_CHOICE, .choices = "tensor|channel"},
                                  HKI_WHOLE("images", 1024, 1, 1e9),
                                  {0}};

/* Behind the name a colon, as in every spec, or a comma. */
static hk_status parse(const char *spec, hk_quantisation *out)
{
    double values[sizeof params / sizeof *params];
    char name[HKI_MAX_NAME];
    const size_t length = strcspn(spec, ":,");
    snprintf(name, sizeof name, "%.*s", (int)hki_min(HKI_MAX_NAME, (int64_t)length), spec);
    const int kind =
        hki_spec_row("quantisation", name, kinds, sizeof kinds / sizeof *kinds, sizeof *kinds);
    if (kind < 0 || hki_spec_values("quantisation", kinds[kind].name, spec, length, params, values))
        return hk_last_status();
    out->bits = kinds[kind].bits;
    out->per_channel = values[0] != 0;
    out->images = (int64_t)values[1];
    return HK_OK;
}

hk_status hk_quantise_check(const char *spec)
{
    hk_quantisation unused;
    return hki_null(spec) ? HK_BAD_ARGUMENT : parse(spec, &unused);
}

/* ---- What becomes steps --------------------------------------------------------------------------- */

/* A tensor, and its extremes on the images. */
typedef struct part {
    hk_tensor *tensor;
    float *low, *high;  /* [channels] */
    bool *was_constant; /* [channels], before it became steps */
} part;

typedef struct quantiser {
    hk_tensor *logits;
    const hk_data *data;
    hk_quantisation *out;
    hk_quantised *found; /* out->parts */
    part *parts;
    int n;
} quantiser;

/* Values that move, and do not change, are in steps where they come from. */
static hk_tensor *origin(hk_tensor *x)
{
    while (x->op && (x->op->is_view || x->op == &hki_op_maxpool))
        x = x->inputs[0];
    return x;
}

static void add_part(quantiser *q, hk_tensor *t)
{
    for (int i = 0; i < q->n; i++)
        if (q->parts[i].tensor == t)
            return;
    q->parts[q->n++].tensor = t;
}

static hk_status find_parts(quantiser *q)
{
    const hk_net *net = q->logits->net;
    q->parts = hki_alloc_array((size_t)net->n_tensors, sizeof *q->parts);
    for (int id = 0; q->parts && id < net->n_tensors; id++) {
        hk_tensor *t = net->tensors[id];
        if (t->op == &hki_op_quantise)
            return hki_fail(HK_BAD_ARGUMENT, "the net is quantised already");
        if (t->role == HKI_COMPUTED && hki_is_product(t))
            add_part(q, origin(t->inputs[0]));
        else if (t->role == HKI_COMPUTED && hki_is_activation(t) && hki_readers(t))
            add_part(q, t);
    }
    q->found = q->parts ? hki_alloc_array((size_t)q->n + 1, sizeof *q->found) : NULL;
    q->out->parts = q->found;
    for (int i = 0; q->found && i < q->n; i++) {
        part *p = &q->parts[i];
        const hk_tensor *t = p->tensor;
        const size_t channels = (size_t)hki_channels(&t->shape);
        const char *name = t->op ? hki_layer_name(t->net, t->layer) : "input";
        q->found[i] = (hk_quantised){.units = (int64_t)channels,
                                     .is_activation = t->op && hki_is_activation(t)};
        snprintf(q->found[i].layer, sizeof q->found[i].layer, "%s", name);
        p->low = hki_alloc_array(channels, sizeof *p->low);
        p->high = hki_alloc_array(channels, sizeof *p->high);
        p->was_constant = hki_alloc_array(channels, sizeof *p->was_constant);
        if (!p->low || !p->high || !p->was_constant)
            return HK_NO_MEMORY;
    }
    q->out->n = q->n;
    return q->found ? HK_OK : HK_NO_MEMORY;
}

/* ---- Ranges ----------------------------------------------------------------------------------------- */

static void widen(part *p, int64_t rows, const float *x)
{
    const int64_t channels = hki_channels(&p->tensor->shape);
    for (int64_t r = 0; r < rows; r++)
        for (int64_t c = 0; c < channels; c++) {
            const float v = x[r * channels + c];
            p->low[c] = v < p->low[c] ? v : p->low[c];
            p->high[c] = v > p->high[c] ? v : p->high[c];
        }
}

static void forget(const quantiser *q)
{
    for (int i = 0; i < q->n; i++)
        for (int64_t c = 0; c < q->found[i].units; c++) {
            q->parts[i].low[c] = INFINITY;
            q->parts[i].high[c] = -INFINITY;
        }
}

/* The extremes of all parts on the images, by a plan that keeps them, whose weights are left in *out; to
 * be freed whatever comes back. */
static hk_status observe(quantiser *q, hk_plan **out)
{
    const int n_tensors = q->logits->net->n_tensors;
    hk_tensor **keep = hki_alloc_array((size_t)(2 * n_tensors), sizeof *keep);
    hk_tensor *input = hk_tensor_input(q->logits);
    hk_plan_options options = {.batch = BATCH, .output = q->logits, .keep = keep};
    hk_status status = keep ? HK_OK : HK_NO_MEMORY;
    for (int i = 0; keep && i < q->n; i++)
        keep[options.n_keep++] = q->parts[i].tensor;
    for (int id = 0; keep && id < n_tensors; id++) {
        hk_tensor *t = q->logits->net->tensors[id];
        if (t->role == HKI_COMPUTED && hki_is_product(t) && t->inputs[1]->role == HKI_COMPUTED)
            keep[options.n_keep++] = t->inputs[1];
    }
    if (!status)
        status = hk_plan_new(q->logits->net, &options, out);
    hki_free(keep);
    forget(q);
    for (int64_t done = 0, now; done < q->out->images && !status; done += now) {
        now = hki_min(q->out->images - done, BATCH);
        hki_data_images(q->data, done, now, hk_plan_value(*out, input));
        for (int i = 0; i < q->n && !q->parts[i].tensor->op; i++) /* before it is used again */
            widen(&q->parts[i], hki_rows(&input->shape, now), hk_plan_value(*out, input));
        status = hk_plan_forward(*out, now);
        for (int i = 0; i < q->n && !status; i++)
            if (q->parts[i].tensor->op)
                widen(&q->parts[i], hki_rows(&q->parts[i].tensor->shape, now),
                      hk_plan_value(*out, q->parts[i].tensor));
    }
    return status;
}

/* Between the extremes and 0, which is a step itself. */
static hk_status choose_steps(hk_quantised *found, const part *p, int bits)
{
    const int most = (1 << bits) - 1;
    for (int64_t c = 0; c < found->units; c++) {
        found->low = fmin(found->low, (double)p->low[c]);
        found->high = fmax(found->high, (double)p->high[c]);
        if (!isfinite(p->low[c]) || !isfinite(p->high[c]))
            return hki_fail(HK_DIVERGED, "quantise: layer %s has outputs that are not finite",
                            found->layer);
    }
    const double scale = fmax((double)(float)((found->high - found->low) / most), (double)FLT_MIN);
    const int below = (int)lrint(fmin(-found->low / scale, most));
    found->steps = (hk_steps){scale, -below, most - below};
    return HK_OK;
}

/* ---- The graph ---------------------------------------------------------------------------------------- */

static void read_instead(hk_net *net, const hk_tensor *old, hk_tensor *now)
{
    for (int id = 0; id < net->n_tensors; id++)
        for (int i = 0; i < net->tensors[id]->n_inputs; i++)
            if (net->tensors[id]->inputs[i] == old && net->tensors[id] != now)
                net->tensors[id]->inputs[i] = now;
}

/* Who read the part reads it in steps. */
static hk_status put_steps(part *p, hk_steps steps)
{
    hk_net *net = p->tensor->net;
    const int first = net->n_tensors;
    hk_tensor *now = hk_quantise_steps(p->tensor, steps);
    if (!now)
        return hk_last_status();
    read_instead(net, p->tensor, now);
    hki_move_before(net, first, p->tensor->id + 1);
    p->tensor = now;
    return HK_OK;
}

/* w[rows x channels] in steps from -most to most, of a scale for each channel or of one. */
static void quantise_weight(const hk_quantisation *how, int64_t rows, int64_t channels, float *w)
{
    const int most = (1 << (how->bits - 1)) - 1;
    float largest = 0;
    for (int64_t i = 0; i < rows * channels; i++)
        largest = fmaxf(largest, fabsf(w[i]));
    for (int64_t c = 0; c < channels; c++) {
        for (int64_t r = 0; r < rows && how->per_channel; r++)
            largest = fmaxf(r ? largest : 0, fabsf(w[r * channels + c]));
        const hk_steps steps = {(double)fmaxf(largest / (float)most, FLT_MIN), -most, most};
        for (int64_t r = 0; r < rows; r++)
            hki_quantise(&steps, 1, w + r * channels + c, w + r * channels + c);
    }
}

static hk_status put_weight(const quantiser *q, hk_plan *plan, hk_tensor *product)
{
    hk_net *net = product->net;
    const hk_tensor *weight = product->inputs[1];
    const int first = net->n_tensors;
    hk_tensor *now =
        hk_constant(net, weight->shape,
                    weight->role == HKI_COMPUTED ? hk_plan_value(plan, weight) : weight->value);
    if (!now)
        return hk_last_status();
    quantise_weight(q->out, hki_rows(&weight->shape, 1), hki_channels(&weight->shape), now->value);
    now->layer = product->layer;
    product->inputs[1] = now;
    hki_move_before(net, first, product->id);
    return HK_OK;
}

static hk_status change_graph(quantiser *q, hk_plan *plan)
{
    hk_net *net = q->logits->net;
    hk_status status = HK_OK;
    for (int i = 0; i < q->n && !status; i++)
        status = choose_steps(&q->found[i], &q->parts[i], q->out->bits);
    /* From the last on: the plan knows those before by their places. */
    for (int id = net->n_tensors - 1; id >= 0 && !status; id--)
        if (net->tensors[id]->role == HKI_COMPUTED && hki_is_product(net->tensors[id]))
            status = put_weight(q, plan, net->tensors[id]);
    for (int i = 0; i < q->n && !status; i++)
        status = put_steps(&q->parts[i], q->found[i].steps);
    hki_drop_plans(net);
    return status;
}

/* ---- Units that have one value ------------------------------------------------------------------------ */

static bool is_constant(const part *p, int64_t channel)
{
    return p->low[channel] == p->high[channel];
}

static void remember_constant(const quantiser *q)
{
    for (int i = 0; i < q->n; i++)
        for (int64_t c = 0; c < q->found[i].units; c++)
            q->parts[i].was_constant[c] = is_constant(&q->parts[i], c);
}

static void count_constant(const quantiser *q)
{
    for (int i = 0; i < q->n; i++)
        for (int64_t c = 0; c < q->found[i].units; c++)
            q->found[i].constant += is_constant(&q->parts[i], c) && !q->parts[i].was_constant[c];
}

static void add_up(quantiser *q)
{
    for (int i = 0; i < q->n; i++)
        if (q->found[i].is_activation) {
            q->out->units += q->found[i].units;
            q->out->constant += q->found[i].constant;
        }
}

static hk_status quantise(quantiser *q)
{
    hk_plan *before = NULL, *after = NULL;
    hk_status status = find_parts(q);
    if (!status)
        status = observe(q, &before);
    if (!status)
        remember_constant(q);
    if (!status)
        status = change_graph(q, before);
    hk_plan_free(before);
    if (!status)
        status = observe(q, &after);
    hk_plan_free(after);
    if (!status)
        count_constant(q);
    add_up(q);
    return status;
}

hk_status hk_quantise(hk_tensor *logits, const hk_data *training, const char *spec,
                      hk_quantisation **out)
{
    if (out)
        *out = NULL;
    if (hki_null(logits, training, spec, out))
        return HK_BAD_ARGUMENT;
    quantiser q = {.logits = logits, .data = training};
    q.out = *out = hki_alloc(sizeof **out);
    hk_status status = q.out ? parse(spec, q.out) : HK_NO_MEMORY;
    if (!status)
        status = hki_check_data(logits, training);
    if (!status) {
        q.out->images = hki_min(q.out->images, training->shape.n);
        status = quantise(&q);
    }
    for (int i = 0; i < q.n; i++) {
        hki_free(q.parts[i].low);
        hki_free(q.parts[i].high);
        hki_free(q.parts[i].was_constant);
    }
    hki_free(q.parts);
    if (status) {
        hk_quantisation_free(*out);
        *out = NULL;
    }
    return status;
}

void hk_quantisation_free(hk_quantisation *quantisation)
{
    if (!quantisation)
        return;
    hki_free((void *)quantisation->parts);
    hki_free(quantisation);
}
