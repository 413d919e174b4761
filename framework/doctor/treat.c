/* Treating dead units: finds them, applies methods layer by layer, keeps the means.
 *
 * docs/dead-neurons.md describes the methods and how they compare. Everything depends on the net, the
 * data and the seed alone. */
#include "doctor/treat.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "data/data.h"
#include "doctor/examine.h"
#include "train/evaluate.h"

enum { SAMPLE = 1000, LEAST_SAMPLE = 64, BATCH = 128 };
static const int64_t most_bytes = INT64_C(1) << 27; /* of one layer's outputs for the sample */

/* A treatment in progress. */
typedef struct treatment {
    hk_tensor *logits;
    const hk_tensor *input;
    const hk_data *data;
    uint64_t seed;
    hk_optimizer *optimizer; /* its moments of what starts anew are reset; NULL: none */
    int64_t sample;          /* inputs on which means are kept */
    hk_plan *plan;
    hki_site *sites; /* of the activations, then the logits */
    int n_sites;
    hk_treatment *result;
    hk_treated_layer *layers;
} treatment;

/* Images first, first + 1, ... of n that are spread evenly. */
static void feed(const treatment *t, int64_t first, int64_t count, int64_t n)
{
    int64_t all = hk_data_shape_of(t->data).n, pixels = hki_sample_count(&t->input->shape);
    float *x = hk_plan_value(t->plan, t->input);
    for (int64_t i = 0; i < count; i++) {
        int64_t image = (int64_t)((double)(first + i) * (double)all / (double)n);
        hki_data_images(t->data, image, 1, x + i * pixels);
    }
}

/* As many as fit into memory well. */
static int64_t sample_size(const treatment *t, int64_t inputs)
{
    int64_t widest = 1;
    for (int id = 0; id <= t->logits->id; id++) {
        const hk_tensor *y = t->logits->net->tensors[id];
        if (y->role == HKI_COMPUTED)
            widest = hki_max(widest, hki_sample_count(&y->shape));
    }
    int64_t fit = most_bytes / (widest * (int64_t)sizeof(float));
    return hki_min(hki_max(hki_min(SAMPLE, fit), LEAST_SAMPLE), inputs);
}

static hk_status make_plan(treatment *t)
{
    hk_plan_options options = {.batch = t->sample, .output = t->logits, .probe = 1};
    hk_plan_free(t->plan);
    t->plan = NULL;
    return hk_plan_new(t->logits->net, &options, &t->plan);
}

/* Opens the sites. Dead are units that do not learn and have no slope: activations that mix channels have no
 * such units, and one to which nothing comes back has nothing that could be treated. */
static hk_status open_sites(treatment *t, const hki_learning *learning, const hki_probe *probe)
{
    int n = hki_probe_layers(probe);
    t->sites = hki_alloc_array((size_t)n + 1, sizeof *t->sites);
    t->layers = hki_alloc_array((size_t)n, sizeof *t->layers);
    if (!t->sites || !t->layers)
        return HK_NO_MEMORY;
    t->result->layers = t->layers;
    for (int i = 0; i < n; i++) {
        hk_tensor *y = t->logits->net->tensors[hki_probe_tensor(probe, i)->id];
        hki_site *site = &t->sites[t->n_sites++];
        int64_t dead = 0;
        if (hki_site_open(y->inputs[0], y, site))
            return HK_NO_MEMORY;
        for (int64_t j = 0; j < site->channels && hki_channels(&y->shape) == site->channels; j++) {
            hki_unit unit;
            hki_probe_unit(probe, i, j, &unit);
            dead += site->dead[j] =
                !isnan(unit.slope) && hki_has_no_slope(&unit) && !hki_learns(learning, y, j);
        }
        if (!dead)
            continue;
        site->report = &t->layers[t->result->n_layers++];
        site->report->units = site->channels;
        site->report->dead = dead;
        snprintf(site->report->layer, sizeof site->report->layer, "%s",
                 hki_layer_name(t->logits->net, y->layer));
        t->result->dead += dead;
    }
    return hki_site_open(t->logits, NULL, &t->sites[t->n_sites++]);
}

/* As an examination finds them. */
static hk_status find_dead(treatment *t)
{
    const int64_t inputs = t->result->inputs;
    hk_plan_options options = {.batch = BATCH, .output = t->logits, .probe = 1, .training = 1};
    hk_plan *plan = NULL;
    hki_probe *probe = NULL;
    hki_learning *learning;
    hk_status status = hki_learning_open(t->logits, t->data, &learning);
    if (!status)
        status = hki_learning_until(learning, inputs);
    if (!status)
        status = hk_plan_new(t->logits->net, &options, &plan);
    if (!status)
        status = hki_probe_new(plan, &probe);
    if (!status)
        status = hki_probe_run(probe, t->input, t->data, inputs);
    if (!status)
        status = open_sites(t, learning, probe);
    hki_probe_free(probe);
    hk_plan_free(plan);
    hki_learning_free(learning);
    return status;
}

/* ---- The methods, on one layer --------------------------------------------------------------- */

/* The moments of the weights of a channel. */
static void reset_incoming(hk_optimizer *optimizer, const hki_site *site, int64_t channel)
{
    if (site->weight && site->weight->role == HKI_LEARNED)
        hki_optimizer_reset(optimizer, site->weight, channel, hki_channels(&site->weight->shape),
                            hki_rows(&site->weight->shape, 1));
    if (site->bias)
        hki_optimizer_reset(optimizer, site->bias, channel, 1, 1);
    for (int i = 1; site->norm && i < site->norm->n_inputs; i++) {
        const hk_tensor *slot = site->norm->inputs[i];
        if (slot->role == HKI_LEARNED && hki_channels(&slot->shape) == site->channels)
            hki_optimizer_reset(optimizer, slot, channel, 1, 1);
    }
}

/* Dead channels that have their own activation still. */
static bool is_free(const hki_site *site, int64_t j)
{
    return site->dead[j] &&
           !(hki_is_channel_override(site->y) && hki_override_mask(site->y)->value[j] > 0);
}

/* So that neither swapping units nor making them fire harms others. A unit that is far from 0 for all
 * inputs, often by one huge step, comes near by smaller weights, or gamma: relu of it is 0 as before.
 * Where units reach an addition there are no weights to calm, and none that could be too large. */
static hk_status calm(treatment *t, hki_site *site)
{
    const hk_tensor *gamma = hki_site_slot(site, "gamma"), *offset = hki_site_bias(site);
    const hk_tensor *factor = site->norm ? gamma : site->weight;
    bool scales = site->norm ? site->x == site->norm && gamma && offset
                             : site->x == site->product && !site->weight_is_normed;
    for (int64_t j = 0; j < site->channels && scales; j++) {
        double length = sqrt(site->square[j]);
        if (!is_free(site, j) || !(length > 1) || !isfinite(length))
            continue;
        int64_t columns = hki_channels(&factor->shape);
        for (int64_t i = j; i < hki_count(&factor->shape, 1); i += columns)
            factor->value[i] = (float)((double)factor->value[i] / length);
        if (offset)
            offset->value[j] = (float)((double)offset->value[j] / length);
        site->mean[j] /= length;
    }
    hk_status status = hki_change_readers(site->y, t->logits, site->dead, true, t->optimizer);
    return status == HK_BAD_ARGUMENT ? HK_OK : status;
}

static hk_status swap(treatment *t, hki_site *site, const hki_method *method, int64_t *treated)
{
    if (hki_use_of(site->y)->plugin == method->to.plugin)
        return hki_fail(HK_BAD_ARGUMENT, "they have this activation already");
    hk_status status = hki_layer_override_channels(t->logits->net, site->y->layer, &method->to);
    if (!status)
        status = calm(t, site);
    for (int64_t j = 0; j < site->channels && !status; j++) {
        if (!is_free(site, j))
            continue;
        hki_override_mask(site->y)->value[j] = (float)method->epochs;
        reset_incoming(t->optimizer, site, j);
        ++*treated;
    }
    if (!status && !*treated)
        return hki_fail(HK_BAD_ARGUMENT, "they were swapped before");
    return status;
}

hk_status hki_site_renew(const hki_site *site, const hk_tensor *logits, uint64_t seed,
                         hk_optimizer *optimizer)
{
    if (!site->weight || !site->weight->init)
        return hki_fail(HK_BAD_ARGUMENT, "no weight with an initializer makes them");
    if (site->weight_is_normed)
        return hki_fail(HK_BAD_ARGUMENT, "their weight is normalized: a new channel would change "
                                         "others");
    hk_status status = hki_change_readers(site->y, logits, NULL, false, optimizer);
    if (status)
        return status;
    int64_t n = hki_count(&site->weight->shape, 1), columns = hki_channels(&site->weight->shape);
    float *drawn = hki_alloc_array((size_t)(n + site->channels), sizeof *drawn);
    status = drawn ? hki_draw_weight(site->weight, seed, drawn, drawn + n) : HK_NO_MEMORY;
    for (int64_t j = 0; j < site->channels && !status; j++) {
        if (!site->dead[j])
            continue;
        for (int64_t i = j; i < n; i += columns)
            site->weight->value[i] = drawn[i];
        if (site->bias)
            site->bias->value[j] = drawn[n + j];
        for (int i = 1; site->norm && i < site->norm->n_inputs; i++) {
            hk_tensor *slot = site->norm->inputs[i];
            if (hki_channels(&slot->shape) == site->channels)
                slot->value[j] = (float)hki_use_of(site->norm)->plugin->slots[i - 1].value;
        }
        reset_incoming(optimizer, site, j);
    }
    hki_free(drawn);
    return status ? status : hki_change_readers(site->y, logits, site->dead, false, optimizer);
}

static hk_status redo(treatment *t, hki_site *site, int64_t *treated)
{
    hk_status status = hki_site_renew(site, t->logits, t->seed, t->optimizer);
    for (int64_t j = 0; j < site->channels && !status; j++) {
        site->redrawn[j] = site->dead[j];
        *treated += site->dead[j];
    }
    return status;
}

/* The bias itself moves when the means are restored. */
static hk_status make_fire(treatment *t, hki_site *site, const hki_method *method, int64_t *treated)
{
    if (!hki_site_bias(site))
        return hki_fail(HK_BAD_ARGUMENT, "they have no bias");
    hk_status status = calm(t, site);
    site->q = method->q;
    for (int64_t j = 0; j < site->channels; j++)
        if (site->dead[j]) {
            reset_incoming(t->optimizer, site, j);
            ++*treated;
        }
    return status;
}

/* A method that does not fit a layer leaves a note there. */
static hk_status apply(treatment *t, hki_site *site, const hki_method *method)
{
    hk_treated_layer *report = site->report;
    int64_t treated = 0;
    hk_status status = method->kind == HKI_REDO   ? redo(t, site, &treated)
                       : method->kind == HKI_BIAS ? make_fire(t, site, method, &treated)
                                                  : swap(t, site, method, &treated);
    report->treated = hki_max(report->treated, treated);
    if (status != HK_BAD_ARGUMENT)
        return status;
    snprintf(report->note, sizeof report->note, "%s: %.200s", method->name, hk_message());
    return HK_OK;
}

static hk_status apply_methods(treatment *t, const hki_treatments *how)
{
    int n_tensors = t->logits->net->n_tensors;
    feed(t, 0, t->sample, t->sample);
    hk_status status = hki_keep_means(t->plan, t->sample, t->sites, t->n_sites);
    for (int m = 0; m < how->n; m++)
        for (int i = 0; i < t->n_sites && !status; i++)
            if (t->sites[i].report)
                status = apply(t, &t->sites[i], &how->methods[m]);
    for (int i = 0; i < t->result->n_layers; i++)
        t->result->treated += t->layers[i].treated;
    hki_values_changed(t->logits->net);
    t->result->graph_changed = t->logits->net->n_tensors != n_tensors;
    if (status || !t->result->treated)
        return status;
    status = make_plan(t);
    if (status)
        return status;
    feed(t, 0, t->sample, t->sample);
    return hki_restore_means(t->plan, t->sample, t->sites, t->n_sites, &t->result->shift);
}

hk_status hki_treat(hk_tensor *logits, const hk_data *data, const hki_treatments *how,
                    const hk_treat_options *options, hk_treatment **out)
{
    *out = NULL;
    if (options && options->inputs < 0)
        return hki_fail(HK_BAD_ARGUMENT, "a treatment of %lld inputs: expected 0, for all, or more",
                        (long long)options->inputs);
    treatment t = {.logits = logits,
                   .input = hk_tensor_input(logits),
                   .data = data,
                   .seed = options ? options->seed : 0,
                   .optimizer = options ? options->optimizer : NULL,
                   .result = hki_alloc(sizeof *t.result)};
    hk_status status = t.result ? hki_check_data(logits, data) : HK_NO_MEMORY;
    if (!status) {
        int64_t all = hk_data_shape_of(data).n, inputs = options ? options->inputs : 0;
        t.result->inputs = inputs ? hki_min(inputs, all) : all;
        t.sample = sample_size(&t, t.result->inputs);
        status = find_dead(&t);
    }
    if (!status && t.result->dead)
        status = make_plan(&t);
    if (!status && t.result->dead)
        status = apply_methods(&t, how);
    for (int i = 0; i < t.n_sites; i++)
        hki_site_clear(&t.sites[i]);
    hki_free(t.sites);
    hk_plan_free(t.plan);
    if (status)
        hk_treatment_free(t.result);
    else
        *out = t.result;
    return status;
}
