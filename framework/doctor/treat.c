/* Treating dead units: finds them, applies methods layer by layer, keeps the means.
 *
 * docs/dead-neurons.md describes the methods and how they compare. Everything depends on the net, the
 * data and the seed alone. */
#include "doctor/treat.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "data/data.h"
#include "train/evaluate.h"

enum { SAMPLE = 1000, LEAST_SAMPLE = 64 };
static const int64_t most_bytes = INT64_C(1) << 27; /* of one layer's outputs for the sample */
static const double slope_threshold = 1e-3;

typedef struct ward {
    hk_tensor *logits;
    const hk_tensor *input;
    const hk_data *data;
    uint64_t seed;
    hk_optimizer *optimizer; /* forgets what starts anew; NULL: none */
    int64_t sample;          /* inputs on which means are kept */
    hk_plan *plan;
    hki_site *sites; /* of the activations, then the logits */
    int n_sites;
    hk_treatment *result;
    hk_treated_layer *layers;
} ward;

/* ---- The data -------------------------------------------------------------------------------- */

/* Images first, first + 1, ... of n that are spread evenly. */
static void feed(const ward *w, int64_t first, int64_t count, int64_t n)
{
    int64_t all = hk_data_shape_of(w->data).n, pixels = hki_sample_count(&w->input->shape);
    float *x = hk_plan_value(w->plan, w->input);
    for (int64_t i = 0; i < count; i++) {
        int64_t image = (int64_t)((double)(first + i) * (double)all / (double)n);
        hki_data_images(w->data, image, 1, x + i * pixels);
    }
}

/* As many as fit into memory well. */
static int64_t sample_of(const ward *w, int64_t inputs)
{
    int64_t widest = 1;
    for (int id = 0; id <= w->logits->id; id++) {
        const hk_tensor *t = w->logits->net->tensors[id];
        if (t->role == HKI_COMPUTED)
            widest = hki_max(widest, hki_sample_count(&t->shape));
    }
    int64_t fit = most_bytes / (widest * (int64_t)sizeof(float));
    return hki_min(hki_max(hki_min(SAMPLE, fit), LEAST_SAMPLE), inputs);
}

static hk_status make_plan(ward *w)
{
    hk_plan_options options = {.batch = w->sample, .output = w->logits, .probe = 1};
    hk_plan_free(w->plan);
    w->plan = NULL;
    return hk_plan_new(w->logits->net, &options, &w->plan);
}

/* ---- Finding dead units ---------------------------------------------------------------------- */

/* Nothing goes back through it: activations that mix channels have no such units. */
static bool is_dead(const hki_probe *probe, int i, int64_t unit)
{
    hki_unit seen;
    hki_probe_unit(probe, i, unit, &seen);
    return seen.slope < slope_threshold;
}

static hk_status open_sites(ward *w, const hki_probe *probe)
{
    int n = hki_probe_layers(probe);
    w->sites = hki_alloc_array((size_t)n + 1, sizeof *w->sites);
    w->layers = hki_alloc_array((size_t)n, sizeof *w->layers);
    if (!w->sites || !w->layers)
        return HK_NO_MEMORY;
    w->result->layers = w->layers;
    for (int i = 0; i < n; i++) {
        hk_tensor *y = w->logits->net->tensors[hki_probe_tensor(probe, i)->id];
        if (hki_site_open(y->inputs[0], y, &w->sites[w->n_sites++]))
            return HK_NO_MEMORY;
    }
    return hki_site_open(w->logits, NULL, &w->sites[w->n_sites++]);
}

static void find_dead(ward *w, const hki_probe *probe, int i)
{
    hki_site *site = &w->sites[i];
    bool is_one_to_one = hki_channels(&site->y->shape) == site->channels;
    int64_t dead = 0;
    for (int64_t j = 0; j < site->channels && is_one_to_one; j++)
        dead += site->dead[j] = is_dead(probe, i, j);
    if (!dead)
        return;
    site->report = &w->layers[w->result->n_layers++];
    site->report->units = site->channels;
    site->report->dead = dead;
    snprintf(site->report->layer, sizeof site->report->layer, "%s",
             hki_layer_name(w->logits->net, site->y->layer));
    w->result->dead += dead;
}

static hk_status look(ward *w, int64_t inputs, hki_probe *probe)
{
    hk_status status = HK_OK;
    for (int64_t done = 0, now; done < inputs && !status; done += now) {
        now = hki_min(inputs - done, w->sample);
        feed(w, done, now, inputs);
        status = hk_plan_forward(w->plan, now);
    }
    if (!status)
        status = open_sites(w, probe);
    for (int i = 0; i < w->n_sites - 1 && !status; i++)
        find_dead(w, probe, i);
    hki_plan_watch(w->plan, NULL, NULL);
    return status;
}

static hk_status examine(ward *w, int64_t inputs)
{
    hki_probe *probe = NULL;
    hk_status status = make_plan(w);
    if (!status)
        status = hki_probe_new(w->plan, &probe);
    if (!status)
        status = look(w, inputs, probe);
    hki_probe_free(probe);
    return status;
}

/* ---- The methods, on one layer --------------------------------------------------------------- */

/* What an optimizer knew of the weights of a channel. */
static void forget_incoming(const ward *w, const hki_site *site, int64_t channel)
{
    if (site->weight && site->weight->role == HKI_LEARNED)
        hki_optimizer_forget(w->optimizer, site->weight, channel,
                             hki_channels(&site->weight->shape), hki_rows(&site->weight->shape, 1));
    if (site->bias)
        hki_optimizer_forget(w->optimizer, site->bias, channel, 1, 1);
    for (int i = 1; site->norm && i < site->norm->n_inputs; i++) {
        const hk_tensor *slot = site->norm->inputs[i];
        if (slot->role == HKI_LEARNED && hki_channels(&slot->shape) == site->channels)
            hki_optimizer_forget(w->optimizer, slot, channel, 1, 1);
    }
}

/* Dead channels that have their own activation still. */
static bool is_free(const hki_site *site, int64_t j)
{
    return site->dead[j] && !(hki_is_mix(site->y) && hki_mix_swapped(site->y)->value[j] > 0);
}

/* A unit that is far from 0 for all inputs, often by one huge step, comes near by smaller weights, or
 * gamma: relu of it is 0 as before. */
static void bring_near(const hki_site *site, int64_t channel)
{
    const hk_tensor *gamma = hki_site_slot(site, "gamma"), *offset = hki_site_bias(site);
    double length = sqrt(site->square[channel]);
    bool scales = site->norm ? site->x == site->norm && gamma && offset
                             : site->x == site->product && !site->weight_is_normed;
    if (!(length > 1) || !isfinite(length) || !scales)
        return;
    const hk_tensor *factor = site->norm ? gamma : site->weight;
    int64_t columns = hki_channels(&factor->shape);
    for (int64_t i = channel; i < hki_count(&factor->shape, 1); i += columns)
        factor->value[i] = (float)((double)factor->value[i] / length);
    if (offset)
        offset->value[channel] = (float)((double)offset->value[channel] / length);
    site->mean[channel] /= length;
}

/* So that neither swapping units nor making them fire harms others. Where they reach an addition there
 * are no weights to calm, and none that could be too large. */
static hk_status calm(ward *w, hki_site *site)
{
    for (int64_t j = 0; j < site->channels; j++)
        if (is_free(site, j))
            bring_near(site, j);
    hk_status status = hki_change_readers(site->y, w->logits, site->dead, true, w->optimizer);
    return status == HK_BAD_ARGUMENT ? HK_OK : status;
}

static hk_status swap(ward *w, hki_site *site, const hki_method *method, int64_t *treated)
{
    if (hki_use_of(site->y)->plugin == method->to.plugin)
        return hki_fail(HK_BAD_ARGUMENT, "they have this activation already");
    hk_status status = hki_layer_mix(w->logits->net, site->y->layer, &method->to);
    if (!status)
        status = calm(w, site);
    for (int64_t j = 0; j < site->channels && !status; j++) {
        if (!is_free(site, j))
            continue;
        hki_mix_swapped(site->y)->value[j] = (float)method->epochs;
        forget_incoming(w, site, j);
        ++*treated;
    }
    if (!status && !*treated)
        return hki_fail(HK_BAD_ARGUMENT, "they were swapped before");
    return status;
}

static void restart_norm(const hki_site *site, int64_t channel)
{
    for (int i = 1; site->norm && i < site->norm->n_inputs; i++) {
        hk_tensor *slot = site->norm->inputs[i];
        if (hki_channels(&slot->shape) == site->channels)
            slot->value[channel] = (float)hki_use_of(site->norm)->plugin->slots[i - 1].value;
    }
}

static void redraw_channel(hki_site *site, int64_t channel, const float *w, const float *bias)
{
    int64_t columns = hki_channels(&site->weight->shape), rows = hki_rows(&site->weight->shape, 1);
    for (int64_t r = 0; r < rows; r++)
        site->weight->value[r * columns + channel] = w[r * columns + channel];
    if (site->bias)
        site->bias->value[channel] = bias[channel];
    restart_norm(site, channel);
    site->redrawn[channel] = true;
}

static hk_status redraw(ward *w, hki_site *site, int64_t *treated)
{
    size_t n = (size_t)hki_count(&site->weight->shape, 1);
    float *drawn = hki_alloc_array(n + (size_t)site->channels, sizeof *drawn);
    hk_status status =
        drawn ? hki_draw_weight(site->weight, w->seed, drawn, drawn + n) : HK_NO_MEMORY;
    for (int64_t j = 0; j < site->channels && !status; j++) {
        if (!site->dead[j])
            continue;
        redraw_channel(site, j, drawn, drawn + n);
        forget_incoming(w, site, j);
        ++*treated;
    }
    hki_free(drawn);
    return status;
}

static hk_status redo(ward *w, hki_site *site, int64_t *treated)
{
    if (!site->weight || !site->weight->init)
        return hki_fail(HK_BAD_ARGUMENT, "no weight with an initializer makes them");
    if (site->weight_is_normed)
        return hki_fail(HK_BAD_ARGUMENT, "their weight is normalized: a new channel would change "
                                         "others");
    hk_status status = hki_change_readers(site->y, w->logits, NULL, false, w->optimizer);
    if (!status)
        status = redraw(w, site, treated);
    if (!status)
        status = hki_change_readers(site->y, w->logits, site->dead, false, w->optimizer);
    return status;
}

/* The bias itself moves when the means are restored. */
static hk_status make_fire(ward *w, hki_site *site, const hki_method *method, int64_t *treated)
{
    if (!hki_site_bias(site))
        return hki_fail(HK_BAD_ARGUMENT, "they have no bias");
    hk_status status = calm(w, site);
    site->q = method->q;
    for (int64_t j = 0; j < site->channels; j++)
        if (site->dead[j]) {
            forget_incoming(w, site, j);
            ++*treated;
        }
    return status;
}

static hk_status apply(ward *w, hki_site *site, const hki_method *method)
{
    hk_treated_layer *report = site->report;
    int64_t treated = 0;
    hk_status status = method->kind == HKI_REDO   ? redo(w, site, &treated)
                       : method->kind == HKI_BIAS ? make_fire(w, site, method, &treated)
                                                  : swap(w, site, method, &treated);
    report->treated = hki_max(report->treated, treated);
    if (status != HK_BAD_ARGUMENT)
        return status;
    snprintf(report->note, sizeof report->note, "%s: %.200s", method->name, hk_message());
    return HK_OK;
}

/* ---- All of it ------------------------------------------------------------------------------- */

static hk_status apply_all(ward *w, const hki_treatments *how)
{
    hk_status status = HK_OK;
    for (int m = 0; m < how->n; m++)
        for (int i = 0; i < w->n_sites && !status; i++)
            if (w->sites[i].report)
                status = apply(w, &w->sites[i], &how->methods[m]);
    for (int i = 0; i < w->result->n_layers; i++)
        w->result->treated += w->layers[i].treated;
    return status;
}

static hk_status treat(ward *w, const hki_treatments *how)
{
    int n_tensors = w->logits->net->n_tensors;
    feed(w, 0, w->sample, w->sample);
    hk_status status = hki_keep_means(w->plan, w->sample, w->sites, w->n_sites);
    if (!status)
        status = apply_all(w, how);
    hki_values_changed(w->logits->net);
    w->result->graph_changed = w->logits->net->n_tensors != n_tensors;
    if (status || !w->result->treated)
        return status;
    status = make_plan(w);
    if (status)
        return status;
    feed(w, 0, w->sample, w->sample);
    return hki_restore_means(w->plan, w->sample, w->sites, w->n_sites, &w->result->shift);
}

static hk_status open_ward(ward *w)
{
    w->input = hk_tensor_input(w->logits);
    w->result = hki_alloc(sizeof *w->result);
    return w->result ? hki_check_data(w->logits, w->data) : HK_NO_MEMORY;
}

static void close_ward(ward *w)
{
    for (int i = 0; i < w->n_sites; i++)
        hki_site_clear(&w->sites[i]);
    hki_free(w->sites);
    hk_plan_free(w->plan);
}

hk_status hki_treat(hk_tensor *logits, const hk_data *data, const hki_treatments *how,
                    const hk_treat_options *options, hk_treatment **out)
{
    ward w = {.logits = logits,
              .data = data,
              .seed = options ? options->seed : 0,
              .optimizer = options ? options->optimizer : NULL};
    *out = NULL;
    int64_t all = data ? hk_data_shape_of(data).n : 0;
    hk_status status =
        logits && data ? open_ward(&w) : hki_fail(HK_BAD_ARGUMENT, "treating needs a net and data");
    if (!status) {
        w.result->inputs =
            options && options->inputs > 0 && options->inputs < all ? options->inputs : all;
        w.sample = sample_of(&w, w.result->inputs);
        status = examine(&w, w.result->inputs);
    }
    if (!status && w.result->dead)
        status = treat(&w, how);
    close_ward(&w);
    if (status)
        hk_treatment_free(w.result);
    else
        *out = w.result;
    return status;
}

void hki_treat_epoch(hk_net *net)
{
    for (int id = 0; id < net->n_tensors; id++) {
        if (net->tensors[id]->role != HKI_COMPUTED || !hki_is_mix(net->tensors[id]))
            continue;
        hk_tensor *swapped = hki_mix_swapped(net->tensors[id]);
        for (int64_t j = 0; j < hki_count(&swapped->shape, 1); j++)
            swapped->value[j] = fmaxf(swapped->value[j] - 1, 0);
    }
}
