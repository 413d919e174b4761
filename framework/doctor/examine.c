/* Examination: the net as its training sees it, batch by batch. Which units learn is judged by a backward
 * pass (train/learning.c), which ends as soon as all of them do; the probe takes the statistics of every unit
 * in a forward pass over the same batches, beside which rows are sampled for ranks and quantiles. */
#include "doctor/examine.h"

#include <hillock/random.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "data/data.h"
#include "nn/nn.h"
#include "train/evaluate.h"

enum { BATCH = 128 };

/* ---- Observing a net ------------------------------------------------------------------------- */

bool hki_has_no_slope(const hki_unit *unit)
{
    return isnan(unit->slope) ? !(unit->max > unit->min) : unit->slope < 1e-3;
}

/* The probe, then the rows that are sampled of this layer. */
static void observe(void *user, const hki_call *call, bool back, double seconds)
{
    hki_observer *o = user;
    int layer = 0;
    o->watch(o->watcher, call, back, seconds);
    while (layer < o->n_layers && o->layers[layer].tensor != call->tensor)
        layer++;
    if (back || layer == o->n_layers || !o->layers[layer].y)
        return;
    hki_sampled *s = &o->layers[layer];
    int64_t positions = hki_rows(&s->tensor->shape, 1);
    int64_t each = hki_min(positions, o->per_input);
    for (int64_t b = 0; b < call->batch; b++) {
        int64_t input = o->done + b;
        for (int64_t i = 0; i < each && input % o->stride == 0; i++) {
            uint32_t word = hks_bits((uint64_t)s->tensor->layer, (uint64_t)(input * each + i));
            int64_t row = b * positions + word % positions;
            memcpy(s->x + s->rows * s->channels_in, call->x[0] + row * s->channels_in,
                   (size_t)s->channels_in * sizeof(float));
            memcpy(s->y + s->rows * s->channels_out, call->y + row * s->channels_out,
                   (size_t)s->channels_out * sizeof(float));
            s->rows++;
        }
    }
}

static hk_status make_samples(hki_observer *o)
{
    int n_layers = hki_probe_layers(o->probe);
    if (!n_layers)
        return hki_fail(HK_BAD_ARGUMENT, "the net has no activation: there are no units to "
                                         "examine");
    o->layers = hki_alloc_array((size_t)n_layers, sizeof *o->layers);
    if (!o->layers)
        return HK_NO_MEMORY;
    for (; o->n_layers < n_layers; o->n_layers++) {
        hki_sampled *s = &o->layers[o->n_layers];
        s->tensor = hki_probe_tensor(o->probe, o->n_layers);
        s->channels_in = hki_channels(&s->tensor->inputs[0]->shape);
        s->channels_out = hki_channels(&s->tensor->shape);
        if (s->channels_in > HKI_RANKED_UNITS || s->channels_out > HKI_RANKED_UNITS)
            continue;
        s->x = hki_alloc_array(HKI_SAMPLED_ROWS * (size_t)s->channels_in, sizeof(float));
        s->y = hki_alloc_array(HKI_SAMPLED_ROWS * (size_t)s->channels_out, sizeof(float));
        if (!s->x || !s->y) {
            o->n_layers++;
            return HK_NO_MEMORY;
        }
    }
    return HK_OK;
}

static void close_observer(hki_observer *o)
{
    for (int i = 0; i < o->n_layers; i++) {
        hki_free(o->layers[i].x);
        hki_free(o->layers[i].y);
    }
    hki_free(o->layers);
    hki_free(o->sums);
    hki_free(o->squares);
    hki_probe_free(o->probe);
    hk_plan_free(o->plan);
    *o = (hki_observer){0};
}

/* Of the net that ends in `logits`, while n images of `data` run through it. It must stay where it is until it
 * is closed. */
static hk_status open_observer(hk_tensor *logits, const hk_data *data, int64_t n, hki_observer *o)
{
    hk_plan_options options = {.batch = BATCH, .output = logits, .probe = 1, .training = 1};
    *o = (hki_observer){.input = hk_tensor_input(logits),
                        .data = data,
                        .stride = (n + HKI_SAMPLED_ROWS - 1) / HKI_SAMPLED_ROWS,
                        .per_input = n < HKI_SAMPLED_ROWS ? HKI_SAMPLED_ROWS / n : 1};
    hk_status status = hk_plan_new(logits->net, &options, &o->plan);
    if (!status)
        status = hki_probe_new(o->plan, &o->probe);
    if (!status)
        status = make_samples(o);
    if (!status) {
        size_t channels = (size_t)hki_channels(&o->input->shape);
        o->sums = hki_alloc_array(channels, sizeof *o->sums);
        o->squares = hki_alloc_array(channels, sizeof *o->squares);
        status = o->sums && o->squares ? HK_OK : HK_NO_MEMORY;
    }
    if (status) {
        close_observer(o);
        return status;
    }
    o->watch = o->plan->watch;
    o->watcher = o->plan->watcher;
    hki_plan_watch(o->plan, observe, o);
    return HK_OK;
}

/* Runs until `n` inputs have been observed. */
static hk_status observe_until(hki_observer *o, int64_t n)
{
    int64_t channels = hki_channels(&o->input->shape);
    hk_status status = HK_OK;
    while (o->done < n && !status) {
        int64_t now = hki_next_batch(n - o->done, BATCH), rows = hki_rows(&o->input->shape, now);
        float *x = hk_plan_value(o->plan, o->input);
        hki_spread_images(o->data, o->done, now, x);
        for (int64_t r = 0; r < rows; r++) /* before the buffer is used again */
            for (int64_t c = 0; c < channels; c++) {
                double v = (double)x[r * channels + c];
                o->sums[c] += v;
                o->squares[c] += v * v;
            }
        status = hk_plan_forward(o->plan, now);
        o->done += now;
    }
    return status;
}

/* ---- Statistics ------------------------------------------------------------------------------ */

/* Findings are const to those who read them. */
static hk_layer_finding *layer_of(hk_examination *e, int i)
{
    return (hk_layer_finding *)&e->layers[i];
}

/* Units, and their shares in their layer. */
static hk_status fill_layer(const hki_observer *o, const hki_learning *learning, int i, double tau,
                            hk_layer_finding *layer)
{
    const hki_sampled *s = &o->layers[i];
    const double mean_abs = hki_probe_mean_abs(o->probe, i);
    layer->effective_rank = (double)NAN;
    layer->rank_rows = s->rows;
    if (!isfinite(mean_abs))
        return hki_fail(HK_DIVERGED,
                        "layer %s has outputs that are not finite: the net has "
                        "diverged, and no unit can be judged",
                        layer->layer);
    for (int64_t u = 0; u < layer->units; u++) {
        hk_unit_finding *out = (hk_unit_finding *)&layer->found[u];
        hki_unit unit;
        hki_probe_unit(o->probe, i, u, &unit);
        out->not_learning = !hki_learns(learning, s->tensor, u);
        out->gradient_dead = hki_has_no_slope(&unit);
        out->never_positive = !(unit.max > 0);
        out->score = mean_abs > 0 ? unit.mean_abs / mean_abs : (double)NAN;
        out->dormant = !(out->score > tau);
        out->zeros = unit.zeros;
        out->saturated = unit.saturated;
        out->x_min = unit.x_min;
        out->x_max = unit.x_max;
        out->weight = out->negative = (double)NAN;
        layer->never_positive += out->never_positive;
        layer->gradient_dead += out->gradient_dead;
        layer->dormant += out->dormant;
        layer->not_learning += out->not_learning;
        layer->zeros += out->zeros / (double)layer->units;
        layer->saturated += out->saturated / (double)layer->units;
        layer->has_slope = !isnan(unit.slope);
    }
    return s->y ? hki_effective_rank(s->rows, s->channels_out, s->y, &layer->effective_rank)
                : HK_OK;
}

/* The channel whose mean or deviation is farthest from 0 and 1, but for constant ones. */
static void fill_inputs(const hki_observer *o, hk_examination *e)
{
    int64_t channels = hki_channels(&o->input->shape);
    double count = (double)hki_rows(&o->input->shape, o->done), worst = -1;
    for (int64_t c = 0; c < channels; c++) {
        double mean = o->sums[c] / count, variance = o->squares[c] / count - mean * mean;
        double deviation = variance > 0 ? sqrt(variance) : 0;
        double distance = fabs(mean) + fabs(deviation - 1);
        if (deviation > 0 && distance > worst) {
            worst = distance;
            e->input_mean = mean;
            e->input_deviation = deviation;
        }
    }
}

/* ---- The examination ------------------------------------------------------------------------- */

/* Allocates the findings, and lists the numbers of inputs after which units are counted. */
static hk_status make_examination(const hki_observer *o, hk_examination *e)
{
    static const int64_t points[] = {64, 256, 1024};
    for (int i = 0; i < 3; i++)
        if (points[i] + points[0] <= e->inputs) /* no last batch of a few images */
            e->seen[e->n_seen++] = points[i];
    e->seen[e->n_seen++] = e->inputs;
    e->layers = hki_alloc_array((size_t)o->n_layers, sizeof *e->layers);
    if (!e->layers)
        return HK_NO_MEMORY;
    while (e->n_layers < o->n_layers) {
        const hki_sampled *s = &o->layers[e->n_layers];
        hk_layer_finding *layer = layer_of(e, e->n_layers++);
        char *spec = hki_use_spec(hki_use_of(s->tensor));
        layer->units = s->channels_out;
        layer->found = hki_alloc_array((size_t)layer->units, sizeof *layer->found);
        snprintf(layer->layer, sizeof layer->layer, "%s",
                 hki_layer_name(s->tensor->net, s->tensor->layer));
        snprintf(layer->activation, sizeof layer->activation, "%s", spec ? spec : "");
        hki_free(spec);
        if (!spec || !layer->found)
            return HK_NO_MEMORY;
    }
    return HK_OK;
}

/* The net before its first step must have the same layers, or units cannot be compared. */
static hk_status judge_start(hk_tensor *start, const hk_data *data, const hk_examination *e,
                             hki_learning **out)
{
    hk_status status = hki_learning_open(start, data, out);
    bool same = !status && hki_learning_layers(*out) == e->n_layers;
    for (int i = 0; same && i < e->n_layers; i++)
        same = hki_channels(&hki_learning_tensor(*out, i)->shape) == e->layers[i].units;
    if (!status && !same)
        status = hki_fail(HK_BAD_ARGUMENT, "the net and what is given as its start have not the "
                                           "same layers");
    return status ? status : hki_learning_until(*out, e->inputs);
}

static hk_status observe_all(hki_observer *o, hki_learning *learning, hk_examination *e)
{
    hk_status status = HK_OK;
    for (int p = 0; p < e->n_seen && !status; p++) {
        status = observe_until(o, e->seen[p]);
        if (!status)
            status = hki_learning_until(learning, e->seen[p]);
        for (int i = 0; i < o->n_layers; i++)
            for (int64_t u = 0; u < o->layers[i].channels_out; u++)
                layer_of(e, i)->not_learning_seen[p] +=
                    !hki_learns(learning, o->layers[i].tensor, u);
    }
    return status;
}

static hk_status examine(hki_observer *o, hki_learning *learning, const hk_examine_options *options,
                         hk_examination *e)
{
    hki_learning *start = NULL;
    hk_status status = make_examination(o, e);
    if (!status)
        status = observe_all(o, learning, e);
    for (int i = 0; i < e->n_layers && !status; i++) {
        status = fill_layer(o, learning, i, e->tau, layer_of(e, i));
        e->units += e->layers[i].units;
        e->not_learning += e->layers[i].not_learning;
    }
    if (!status)
        fill_inputs(o, e);
    if (!status && e->not_learning && options->start)
        status = judge_start(options->start, o->data, e, &start);
    if (!status) {
        hki_find_causes(o, start, options->record, e);
        status = hki_advise(o, options->record, e);
    }
    hki_learning_free(start);
    return status;
}

hk_status hk_examine(hk_tensor *logits, const hk_data *data, const hk_examine_options *options,
                     hk_examination **out)
{
    static const hk_examine_options none;
    hki_observer observer = {0};
    hki_learning *learning = NULL;
    if (out)
        *out = NULL;
    if (hki_null(logits, data, out))
        return HK_BAD_ARGUMENT;
    options = options ? options : &none;
    if (!(options->tau >= 0) || options->inputs < 0)
        return hki_fail(HK_BAD_ARGUMENT, "tau %g, inputs %lld: expected 0 or more of both",
                        options->tau, (long long)options->inputs);
    hk_examination *e = hki_alloc(sizeof *e);
    hk_status status = e ? hki_check_data(logits, data) : HK_NO_MEMORY;
    if (!status) {
        const int64_t all = hk_data_shape_of(data).n;
        e->inputs = options->inputs > 0 ? hki_min(options->inputs, all) : all;
        e->tau = options->tau > 0 ? options->tau : 0.025;
        status = open_observer(logits, data, e->inputs, &observer);
    }
    if (!status)
        status = hki_learning_open(logits, data, &learning);
    if (!status)
        status = examine(&observer, learning, options, e);
    hki_learning_free(learning);
    if (observer.plan)
        close_observer(&observer);
    if (status)
        hk_examination_free(e);
    else
        *out = e;
    return status;
}

void hk_examination_free(hk_examination *e)
{
    if (!e)
        return;
    for (int i = 0; i < e->n_layers; i++)
        hki_free((void *)e->layers[i].found);
    hki_free((void *)e->layers);
    hki_free(e);
}
