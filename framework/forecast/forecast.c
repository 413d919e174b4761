/* Simulation: the net's first weights are drawn again and again, inputs run forward, random
 * gradients of the outputs run back, through the plan that training would use. Every figure is taken
 * net by net, so that its standard error over nets is known. */
#include "forecast/forecast.h"

#include <hillock/kernel.h>
#include <math.h>
#include <string.h>

#include "data/data.h"
#include "nn/nn.h"
#include "train/evaluate.h"

/* Outputs that differ by less, relative to their size, are the same. */
static const float same = 1e-6f;

typedef struct simulation {
    hk_forecast_options options;
    hk_tensor *logits, *input, *slope, *loss; /* loss = sum of slope logits: dlogits = slope */
    hk_plan *plan;
    hki_tensor_stats *seen; /* by tensor id, up to the logits */
    int n_seen;
    hk_tensor **watched; /* [n_watched] */
    int n_watched;
    hki_tally born_dead;
} simulation;

/* ---- Tallies -------------------------------------------------------------------------------------- */

static void add(hki_tally *tally, double value)
{
    tally->sum += value;
    tally->squares += value * value;
    tally->n++;
}

hk_estimate hki_tally_estimate(const hki_tally *tally)
{
    const double n = (double)tally->n;
    if (tally->n < 1)
        return (hk_estimate){(double)NAN, (double)NAN};
    double mean = tally->sum / n, variance = tally->squares / n - mean * mean;
    return (hk_estimate){mean, tally->n > 1 ? sqrt((variance > 0 ? variance : 0) / (n - 1))
                                            : (double)NAN};
}

static double mean_square(int64_t n, const float *x)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++)
        sum += (double)x[i] * (double)x[i];
    return sum / (double)n;
}

static double mean_of(int64_t n, const float *x)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++)
        sum += (double)x[i];
    return sum / (double)n;
}

/* ---- One tensor of one net -------------------------------------------------------------------------- */

/* y[n, count]; differences are those of neighbours 0 and 1, 2 and 3, ... */
static void measure_size(hki_tensor_stats *s, int64_t n, int64_t count, const float *y)
{
    double square = 0, square_squared = 0, difference = 0;
    int64_t silent = 0;
    for (int64_t a = 0; a < n; a++) {
        double own = mean_square(count, y + a * count);
        square += own;
        square_squared += own * own;
        silent += own == 0;
    }
    for (int64_t a = 0; a + 1 < n; a += 2)
        for (int64_t j = 0; j < count; j++) {
            double d = (double)y[a * count + j] - (double)y[(a + 1) * count + j];
            difference += d * d;
        }
    add(&s->mean, mean_of(n * count, y));
    add(&s->square, square / (double)n);
    add(&s->square_squared, square_squared / (double)n);
    add(&s->silent, (double)silent / (double)n);
    add(&s->difference, difference / (double)(2 * (n / 2) * count));
}

/* A unit is dead when at no position any sample's output differs from the first one's. */
static void measure_dead(hki_tensor_stats *s, int64_t n, int64_t count, const float *y)
{
    const int64_t channels = hki_channels(&s->tensor->shape);
    int64_t dead = 0;
    memset(s->differs, 0, (size_t)channels * sizeof *s->differs);
    for (int64_t a = 1; a < n; a++)
        for (int64_t j = 0; j < count; j++) {
            float here = y[a * count + j], first = y[j];
            if (!(fabsf(here - first) <= same * fmaxf(fabsf(here), fabsf(first))))
                s->differs[j % channels] = true;
        }
    for (int64_t c = 0; c < channels; c++)
        dead += !s->differs[c];
    add(&s->dead_units, (double)dead / (double)channels);
    add(&s->dead, dead == channels);
}

static void measure(const simulation *it, hki_tensor_stats *s)
{
    const hk_tensor *t = s->tensor;
    if (t->role == HKI_LEARNED) {
        add(&s->square, mean_square(hki_count(&t->shape, 1), t->value));
        add(&s->mean, mean_of(hki_count(&t->shape, 1), t->value));
    }
    if (!s->differs)
        return;
    const int64_t n = it->options.inputs, count = hki_sample_count(&t->shape);
    const float *y = hk_plan_value(it->plan, t), *dy = hk_plan_gradient(it->plan, t);
    measure_size(s, n, count, y);
    measure_dead(s, n, count, y);
    if (dy)
        add(&s->gradient, mean_square(n * count, dy));
}

/* No input makes a difference to the output, nor would a small change of it. Outputs that are merely
 * too alike for floats still have a gradient. */
static bool is_born_dead(const simulation *it)
{
    const int64_t count = it->options.inputs * hki_sample_count(&it->input->shape);
    const float *dx = hk_plan_gradient(it->plan, it->input);
    const hki_tensor_stats *output = &it->seen[it->n_seen - 1];
    for (int64_t c = 0; c < hki_channels(&it->logits->shape); c++)
        if (output->differs[c])
            return false;
    for (int64_t i = 0; dx && i < count; i++)
        if (dx[i] != 0)
            return false;
    return true;
}

/* ---- One net ------------------------------------------------------------------------------------------- */

/* Images of the data; without data directions, each scaled to a mean square of 1, of which the second
 * half mirrors the first. */
static void draw_inputs(const simulation *it, uint64_t key)
{
    const hk_data *data = it->options.data;
    const int64_t count = hki_sample_count(&it->input->shape), half = it->options.inputs / 2;
    float *x = hk_plan_value(it->plan, it->input);
    for (int64_t a = 0; a < it->options.inputs && data; a++) {
        uint32_t image = hks_bits(key, (uint64_t)a) % (uint32_t)data->shape.n;
        hki_data_images(data, image, 1, x + a * count);
    }
    if (data)
        return;
    hks_fill_normal(&(hk_weight){.w = x, .count = half * count, .key = key}, 0, 1);
    for (int64_t a = 0; a < half; a++) {
        float *own = x + a * count, *mirrored = x + (half + a) * count;
        double square = mean_square(count, own);
        float scale = square > 0 ? (float)(1 / sqrt(square)) : 1;
        for (int64_t j = 0; j < count; j++) {
            own[j] *= scale;
            mirrored[j] = -own[j];
        }
    }
}

static hk_status simulate_net(simulation *it, int64_t number)
{
    hk_net *net = it->logits->net;
    const int64_t n = it->options.inputs;
    const uint64_t key = hki_key(it->options.seed, HKI_STREAM_FORECAST, (uint64_t)number, 0);
    hk_status status = hk_net_redraw(net, key);
    if (status)
        return status;
    draw_inputs(it, hki_key(key, HKI_STREAM_FORECAST, 1, 0));
    hks_fill_normal(&(hk_weight){.w = hk_plan_value(it->plan, it->slope),
                                 .count = n * hki_sample_count(&it->logits->shape),
                                 .key = hki_key(key, HKI_STREAM_FORECAST, 2, 0)},
                    0, 1);
    hk_net_clear_gradients(net);
    status = hk_plan_forward(it->plan, n);
    if (!status)
        status = hk_plan_backward(it->plan);
    if (status)
        return status;
    int64_t work = 0;
    for (int id = 0; id < it->n_seen; id++)
        if (it->seen[id].differs)
            work += n * hki_sample_count(&it->seen[id].tensor->shape);
#pragma omp parallel for num_threads(hki_threads_for(work)) schedule(static)
    for (int id = 0; id < it->n_seen; id++)
        measure(it, &it->seen[id]);
    add(&it->born_dead, is_born_dead(it));
    return HK_OK;
}

/* ---- The simulation --------------------------------------------------------------------------------------- */

static hk_status watch_tensors(simulation *it)
{
    it->n_seen = it->logits->id + 1;
    it->seen = hki_alloc_array((size_t)it->n_seen, sizeof *it->seen);
    it->watched = hki_alloc_array((size_t)it->n_seen, sizeof(hk_tensor *));
    if (!it->seen || !it->watched)
        return HK_NO_MEMORY;
    for (int id = 0; id < it->n_seen; id++) {
        hki_tensor_stats *s = &it->seen[id];
        hk_tensor *t = s->tensor = it->logits->net->tensors[id];
        bool has_signal = t->role == HKI_COMPUTED && !t->op->is_view && hki_is_batched(&t->shape);
        if (!has_signal && t != it->input && t != it->logits)
            continue;
        it->watched[it->n_watched++] = t;
        s->differs = hki_alloc_array((size_t)hki_channels(&t->shape), sizeof(bool));
        if (!s->differs)
            return HK_NO_MEMORY;
    }
    return HK_OK;
}

/* Numbers that 20 to 1000 nets have, by what one costs: products thrice, and drawing its weights. */
static int64_t choose_nets(const simulation *it)
{
    double cost = 1e4;
    for (int id = 0; id < it->n_seen; id++) {
        const hk_tensor *t = it->seen[id].tensor;
        if (hki_is_product(t)) {
            const hk_shape *w = &t->inputs[1]->shape;
            double weights = (double)hki_count(w, 1);
            double positions = (double)(hki_sample_count(&t->shape) / hki_channels(&t->shape));
            cost += weights * (50 + 3 * positions * (double)it->options.inputs);
        }
    }
    return (int64_t)fmin(1000, fmax(20, 1e10 / cost));
}

enum { MOST_NETS = 1000000 }; /* of days, not years */

static hk_status start(simulation *it)
{
    hk_forecast_options *o = &it->options;
    if (!o->inputs)
        o->inputs = hki_sample_count(&it->input->shape) == 1 ? 2 : 32;
    if (o->inputs < 2 || o->inputs % 2 || o->nets < 0 || o->nets > MOST_NETS)
        return hki_fail(HK_BAD_ARGUMENT,
                        "a forecast of %lld nets with %lld inputs: expected at most %d nets and an "
                        "even number of inputs",
                        (long long)o->nets, (long long)o->inputs, MOST_NETS);
    hk_status status = o->data ? hki_check_data(it->logits, o->data) : HK_OK;
    if (!status)
        status = watch_tensors(it);
    if (status)
        return status;
    if (!o->nets)
        o->nets = choose_nets(it);
    it->slope = hk_input_shaped(it->logits->net, it->logits->shape);
    it->loss = hk_sum(hk_mul(it->logits, it->slope), HK_ALL_AXES);
    if (!it->loss)
        return hk_last_status();
    return hk_plan_new(it->logits->net,
                       &(hk_plan_options){.batch = o->inputs,
                                          .training = 1,
                                          .loss = it->loss,
                                          .keep = it->watched,
                                          .n_keep = it->n_watched},
                       &it->plan);
}

static hk_status simulate(simulation *it)
{
    hk_net *net = it->logits->net;
    const uint64_t seed = net->seed;
    hk_status status = start(it);
    for (int64_t i = 0; i < it->options.nets && !status; i++)
        status = simulate_net(it, i);
    hk_status restored = it->plan ? hk_net_redraw(net, seed) : HK_OK;
    hk_net_clear_gradients(net);
    return status ? status : restored;
}

/* ---- The forecast ------------------------------------------------------------------------------------------- */

static hk_forecast_layer layer_from(const simulation *it, const hki_tensor_stats *s)
{
    const hk_tensor *t = s->tensor;
    const hki_use *use = hki_is_activation(t) ? hki_use_of(t) : NULL;
    hk_forecast_layer out = {.units = hki_channels(&t->shape),
                             .outputs = hki_sample_count(&t->shape),
                             .mean = hki_tally_estimate(&s->mean),
                             .square = hki_tally_estimate(&s->square),
                             .square_squared = hki_tally_estimate(&s->square_squared),
                             .difference = hki_tally_estimate(&s->difference),
                             .gradient = hki_tally_estimate(&s->gradient),
                             .dead_units = hki_tally_estimate(&s->dead_units),
                             .dead = hki_tally_estimate(&s->dead),
                             .silent = hki_tally_estimate(&s->silent),
                             .square_theory = s->square_theory,
                             .gradient_theory = s->gradient_theory,
                             .silent_theory = s->silent_theory,
                             .gain = hki_gain_before(it->seen, t),
                             .mend = (double)NAN,
                             .mend_gradient = (double)NAN};
    memcpy(out.layer, hki_layer_name(t->net, t->layer), strlen(hki_layer_name(t->net, t->layer)));
    memcpy(out.activation, "output", sizeof "output");
    if (!use)
        return out;
    memcpy(out.activation, use->plugin->name, strlen(use->plugin->name) + 1);
    if (!isnan(hki_mean_square(use, 1, false))) {
        out.mend = hki_gain(use);
        out.mend_gradient = out.mend * out.mend * hki_mean_square(use, 1, true);
    }
    return out;
}

static hk_status gather(const simulation *it, hk_forecast *out)
{
    hk_forecast_layer *layers = hki_alloc_array((size_t)it->n_seen, sizeof *layers);
    if (!layers)
        return HK_NO_MEMORY;
    hki_mean_field(it->seen, it->n_seen);
    for (int id = 0; id < it->n_seen; id++)
        if (hki_is_activation(it->seen[id].tensor) || id == it->n_seen - 1)
            layers[out->n_layers++] = layer_from(it, &it->seen[id]);
    out->layers = layers;
    out->nets = it->options.nets;
    out->inputs = it->options.inputs;
    out->born_dead = hki_tally_estimate(&it->born_dead);
    hki_outlook(out, !strcmp(it->logits->net->choices->initializer.plugin->name, "rai"));
    return HK_OK;
}

hk_status hk_forecast_new(hk_tensor *logits, const hk_forecast_options *options, hk_forecast **out)
{
    if (out)
        *out = NULL;
    if (hki_null(logits, out))
        return HK_BAD_ARGUMENT;
    simulation it = {.logits = logits, .input = hk_tensor_input(logits)};
    if (!it.input || !hki_is_batched(&logits->shape))
        return hki_fail(HK_BAD_ARGUMENT,
                        "forecast: the net's output is not computed from an input");
    if (options)
        it.options = *options;
    hk_forecast *made = hki_alloc(sizeof *made);
    hk_status status = made ? simulate(&it) : HK_NO_MEMORY;
    if (!status)
        status = gather(&it, made);
    hk_plan_free(it.plan);
    for (int id = 0; id < it.n_seen && it.seen; id++)
        hki_free(it.seen[id].differs);
    hki_free(it.seen);
    hki_free(it.watched);
    if (status)
        hk_forecast_free(made);
    else
        *out = made;
    return status;
}

void hk_forecast_free(hk_forecast *forecast)
{
    if (!forecast)
        return;
    hki_free((void *)forecast->layers);
    hki_free(forecast);
}
