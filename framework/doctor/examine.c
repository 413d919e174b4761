/* Examination: one pass over the data in evaluation mode. The probe keeps the extremes and means of
 * every unit; beside it a sample of rows is kept, from which ranks and quantiles are taken. */
#include "doctor/examine.h"

#include <hillock/random.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "data/data.h"
#include "nn/nn.h"
#include "train/evaluate.h"
#include "doctor/rank.h"

enum { BATCH = 128 };

/* ---- Looking --------------------------------------------------------------------------------- */

bool hki_is_not_learning(const hki_unit *unit)
{
    return isnan(unit->slope) ? !(unit->most > unit->least) : unit->slope < 1e-3;
}

static void sample_rows(const hki_look *look, hki_sampled *s, const hki_call *call)
{
    int64_t positions = hki_rows(&s->tensor->shape, 1);
    int64_t each = hki_min(positions, look->per_input);
    for (int64_t b = 0; b < call->batch && s->y; b++) {
        int64_t input = look->done + b;
        for (int64_t i = 0; i < each && input % look->stride == 0; i++) {
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

static void watch(void *user, const hki_call *call, bool back, double seconds)
{
    hki_look *look = user;
    look->watch(look->watcher, call, back, seconds);
    for (int i = 0; i < look->n_layers && !back; i++)
        if (look->layers[i].tensor == call->tensor)
            sample_rows(look, &look->layers[i], call);
}

static hk_status prepare_layer(hki_sampled *s, const hk_tensor *t)
{
    *s = (hki_sampled){.tensor = t,
                       .channels_in = hki_channels(&t->inputs[0]->shape),
                       .channels_out = hki_channels(&t->shape)};
    if (s->channels_in > HKI_RANKED_UNITS || s->channels_out > HKI_RANKED_UNITS)
        return HK_OK;
    s->x = hki_alloc_array(HKI_SAMPLED_ROWS * (size_t)s->channels_in, sizeof(float));
    s->y = hki_alloc_array(HKI_SAMPLED_ROWS * (size_t)s->channels_out, sizeof(float));
    return s->x && s->y ? HK_OK : HK_NO_MEMORY;
}

static hk_status prepare_layers(hki_look *look)
{
    int n_layers = hki_probe_layers(look->probe);
    if (!n_layers)
        return hki_fail(HK_BAD_ARGUMENT, "the net has no activation: there are no units to "
                                         "examine");
    look->layers = hki_alloc_array((size_t)n_layers, sizeof *look->layers);
    if (!look->layers)
        return HK_NO_MEMORY;
    hk_status status = HK_OK;
    for (int i = 0; i < n_layers && !status; i++, look->n_layers++)
        status = prepare_layer(&look->layers[i], hki_probe_tensor(look->probe, i));
    return status;
}

static hk_status prepare(hki_look *look, hk_tensor *logits)
{
    int64_t n = hk_data_shape_of(look->data).n;
    size_t channels = (size_t)hki_channels(&look->input->shape);
    hk_plan_options options = {.batch = BATCH, .output = logits, .probe = 1};
    hk_status status = hk_plan_new(logits->net, &options, &look->plan);
    if (!status)
        status = hki_probe_new(look->plan, &look->probe);
    if (!status)
        status = prepare_layers(look);
    if (status)
        return status;
    look->sums = hki_alloc_array(channels, sizeof *look->sums);
    look->squares = hki_alloc_array(channels, sizeof *look->squares);
    look->stride = (n + HKI_SAMPLED_ROWS - 1) / HKI_SAMPLED_ROWS;
    look->per_input = n < HKI_SAMPLED_ROWS ? HKI_SAMPLED_ROWS / n : 1;
    look->watch = look->plan->watch;
    look->watcher = look->plan->watcher;
    hki_plan_watch(look->plan, watch, look);
    return look->sums && look->squares ? HK_OK : HK_NO_MEMORY;
}

static void clear_look(hki_look *look)
{
    for (int i = 0; i < look->n_layers; i++) {
        hki_free(look->layers[i].x);
        hki_free(look->layers[i].y);
    }
    hki_free(look->layers);
    hki_free(look->sums);
    hki_free(look->squares);
    hki_probe_free(look->probe);
    hk_plan_free(look->plan);
    *look = (hki_look){0};
}

/* Makes ready to look at the net that ends in `logits` while it evaluates `data`. The look must stay
 * where it is until it is cleared. */
static hk_status open_look(hk_tensor *logits, const hk_data *data, hki_look *out)
{
    *out = (hki_look){.input = hk_tensor_input(logits), .data = data};
    hk_status status = hki_check_data(logits, data);
    if (!status)
        status = prepare(out, logits);
    if (status)
        clear_look(out);
    return status;
}

static void sum_inputs(hki_look *look, const float *x, int64_t n)
{
    int64_t channels = hki_channels(&look->input->shape), rows = hki_rows(&look->input->shape, n);
    for (int64_t r = 0; r < rows; r++)
        for (int64_t c = 0; c < channels; c++) {
            double v = (double)x[r * channels + c];
            look->sums[c] += v;
            look->squares[c] += v * v;
        }
}

/* Looks until `n` inputs have been seen. */
static hk_status look_until(hki_look *look, int64_t n)
{
    hk_status status = HK_OK;
    while (look->done < n && !status) {
        int64_t now = hki_min(n - look->done, BATCH);
        float *x = hk_plan_value(look->plan, look->input);
        hki_data_images(look->data, look->done, now, x);
        sum_inputs(look, x, now); /* before the buffer is used again */
        status = hk_plan_forward(look->plan, now);
        look->done += now;
    }
    return status;
}

/* ---- Figures --------------------------------------------------------------------------------- */

/* Findings are const to those who read them. */
static hk_layer_finding *layer_of(hk_examination *e, int i)
{
    return (hk_layer_finding *)&e->layers[i];
}

static void count_not_learning(const hki_look *look, int point, hk_examination *e)
{
    for (int i = 0; i < look->n_layers; i++)
        for (int64_t u = 0; u < look->layers[i].channels_out; u++) {
            hki_unit unit;
            hki_probe_unit(look->probe, i, u, &unit);
            layer_of(e, i)->not_learning_seen[point] += hki_is_not_learning(&unit);
        }
}

static void fill_unit(const hki_unit *unit, double layer_mean_abs, double tau, hk_unit_finding *out)
{
    out->dead = !(unit->most > 0);
    out->gradient_dead = unit->slope < 1e-3;
    out->not_learning = hki_is_not_learning(unit);
    out->score = layer_mean_abs > 0 ? unit->mean_abs / layer_mean_abs : (double)NAN;
    out->dormant = !(out->score > tau);
    out->zeros = unit->zeros;
    out->saturated = unit->saturated;
    out->x_least = unit->x_least;
    out->x_most = unit->x_most;
    out->weight = out->negative = (double)NAN;
}

static void add_unit(hk_layer_finding *layer, const hk_unit_finding *unit)
{
    layer->dead += unit->dead;
    layer->gradient_dead += unit->gradient_dead;
    layer->dormant += unit->dormant;
    layer->not_learning += unit->not_learning;
    layer->zeros += unit->zeros / (double)layer->units;
    layer->saturated += unit->saturated / (double)layer->units;
}

static hk_status fill_units(const hki_look *look, int i, double tau, hk_layer_finding *layer)
{
    hk_unit_finding *found = (hk_unit_finding *)layer->found;
    double mean_abs = 0;
    hki_unit unit;
    for (int64_t u = 0; u < layer->units; u++) {
        hki_probe_unit(look->probe, i, u, &unit);
        mean_abs += unit.mean_abs / (double)layer->units;
    }
    if (!isfinite(mean_abs))
        return hki_fail(HK_DIVERGED,
                        "layer %s has outputs that are not finite: the net has "
                        "diverged, and no unit can be judged",
                        layer->layer);
    for (int64_t u = 0; u < layer->units; u++) {
        hki_probe_unit(look->probe, i, u, &unit);
        fill_unit(&unit, mean_abs, tau, &found[u]);
        add_unit(layer, &found[u]);
        layer->has_slope = !isnan(unit.slope);
    }
    return HK_OK;
}

static hk_status fill_layer(const hki_look *look, int i, double tau, hk_layer_finding *layer)
{
    const hki_sampled *s = &look->layers[i];
    hk_status status = fill_units(look, i, tau, layer);
    layer->effective_rank = (double)NAN;
    layer->rank_rows = s->rows;
    return status || !s->y
               ? status
               : hki_effective_rank(s->rows, s->channels_out, s->y, &layer->effective_rank);
}

/* The channel whose mean or deviation is farthest from 0 and 1; constant channels say nothing. */
static void fill_inputs(const hki_look *look, hk_examination *e)
{
    int64_t channels = hki_channels(&look->input->shape);
    double count = (double)hki_rows(&look->input->shape, look->done), worst = -1;
    for (int64_t c = 0; c < channels; c++) {
        double mean = look->sums[c] / count, variance = look->squares[c] / count - mean * mean;
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

static hk_status make_layer(const hki_sampled *s, hk_layer_finding *out)
{
    const char *name = hki_layer_name(s->tensor->net, s->tensor->layer);
    char *spec = hki_use_spec(hki_use_of(s->tensor));
    out->units = s->channels_out;
    out->found = hki_alloc_array((size_t)out->units, sizeof *out->found);
    memcpy(out->layer, name, strlen(name) + 1);
    snprintf(out->activation, sizeof out->activation, "%s", spec ? spec : "");
    hki_free(spec);
    return spec && out->found ? HK_OK : HK_NO_MEMORY;
}

/* Rooms for the findings, and the numbers of inputs after which units are counted. */
static hk_status make_examination(const hki_look *look, double tau, hk_examination *e)
{
    static const int64_t points[] = {64, 256, 1024};
    e->inputs = hk_data_shape_of(look->data).n;
    e->tau = tau;
    for (int i = 0; i < 3; i++)
        if (points[i] < e->inputs)
            e->seen[e->n_seen++] = points[i];
    e->seen[e->n_seen++] = e->inputs;
    e->layers = hki_alloc_array((size_t)look->n_layers, sizeof *e->layers);
    hk_status status = e->layers ? HK_OK : HK_NO_MEMORY;
    for (int i = 0; i < look->n_layers && !status; i++, e->n_layers++)
        status = make_layer(&look->layers[i], layer_of(e, i));
    return status;
}

static hk_status look_at_points(hki_look *look, hk_examination *e)
{
    hk_status status = HK_OK;
    for (int p = 0; p < e->n_seen && !status; p++) {
        status = look_until(look, e->seen[p]);
        count_not_learning(look, p, e);
    }
    for (int i = 0; i < e->n_layers && !status; i++) {
        status = fill_layer(look, i, e->tau, layer_of(e, i));
        e->units += e->layers[i].units;
        e->not_learning += e->layers[i].not_learning;
    }
    fill_inputs(look, e);
    return status;
}

/* The net before its first step must have the same layers, or units cannot be compared. */
static hk_status look_at_start(hk_tensor *start, const hk_data *data, const hk_examination *e,
                               hki_look *out)
{
    hk_status status = open_look(start, data, out);
    bool same = !status && out->n_layers == e->n_layers;
    for (int i = 0; same && i < e->n_layers; i++)
        same = out->layers[i].channels_out == e->layers[i].units;
    if (!status && !same)
        status = hki_fail(HK_BAD_ARGUMENT, "the net and what is said to be its start have not the "
                                           "same layers");
    return status ? status : look_until(out, e->inputs);
}

static hk_status examine(hki_look *look, const hk_examine_options *options, hk_examination *e)
{
    hki_look start = {0};
    hk_status status = make_examination(look, options->tau > 0 ? options->tau : 0.025, e);
    if (!status)
        status = look_at_points(look, e);
    if (!status && e->not_learning && options->start)
        status = look_at_start(options->start, look->data, e, &start);
    if (!status) {
        hki_find_causes(look, start.plan ? &start : NULL, options->record, e);
        status = hki_advise(look, options->record, e);
    }
    clear_look(&start);
    return status;
}

hk_status hk_examine(hk_tensor *logits, const hk_data *data, const hk_examine_options *options,
                     hk_examination **out)
{
    hki_look look;
    *out = NULL;
    if (!logits || !data)
        return hki_fail(HK_BAD_ARGUMENT, "examining needs a net and data");
    hk_examination *e = hki_alloc(sizeof *e);
    hk_status status = e ? open_look(logits, data, &look) : HK_NO_MEMORY;
    if (!status) {
        status = examine(&look, options ? options : &(hk_examine_options){0}, e);
        clear_look(&look);
    }
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
