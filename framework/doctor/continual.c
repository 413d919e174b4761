/* Continual backpropagation (Dohare et al. 2024, Nature 632, "Loss of plasticity in deep continual
 * learning", algorithm 1). After each step the utility of a unit becomes
 *     u = decay u + (1 - decay) mean|h| sum|w_out|,
 * and of the units older than the maturity, `rate` of a unit in each step is due; whenever one is, that with
 * the smallest u / (1 - decay^age) begins anew: incoming weights as at the start, outgoing ones 0. The
 * quotient is what the mean of so many steps is, as for Adam's moments: without it a young unit looks useless. */
#include "doctor/continual.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- Which units -------------------------------------------------------------------------------- */

/* Units that can begin anew: a weight with an initializer makes them, and weights alone read them. */
static bool can_be_replaced(const hki_site *site, const hk_tensor *logits)
{
    return site->weight && site->weight->init && !site->weight_is_normed &&
           hki_channels(&site->y->shape) == site->channels &&
           !hki_change_readers(site->y, logits, NULL, false, NULL);
}

static hk_status add_layer(hki_continual *it, const hk_tensor *logits, hk_tensor *y)
{
    hki_units_watched *layer = &it->layers[it->n_layers];
    hk_status status = hki_site_open(y->inputs[0], y, &layer->site);
    if (status || !can_be_replaced(&layer->site, logits)) {
        hki_site_clear(&layer->site);
        *layer = (hki_units_watched){.due = 0};
        return status;
    }
    const size_t n = (size_t)layer->site.channels;
    it->n_layers++;
    layer->activity = hki_alloc_array(n, sizeof *layer->activity);
    layer->utility = hki_alloc_array(n, sizeof *layer->utility);
    layer->age = hki_alloc_array(n, sizeof *layer->age);
    return layer->activity && layer->utility && layer->age ? HK_OK : HK_NO_MEMORY;
}

hk_status hki_continual_new(hk_tensor *logits, const hki_method *method, hki_continual **out)
{
    const hk_net *net = logits->net;
    int64_t widest = 1;
    hki_continual *it = *out = hki_alloc(sizeof *it);
    if (!it)
        return HK_NO_MEMORY;
    it->rate = method->rate;
    it->decay = method->decay;
    it->maturity = (int64_t)method->maturity;
    it->layers = hki_alloc_array((size_t)net->n_tensors, sizeof *it->layers);
    hk_status status = it->layers ? HK_OK : HK_NO_MEMORY;
    for (int id = 0; id < logits->id && !status; id++) {
        hk_tensor *y = net->tensors[id];
        if (y->role == HKI_COMPUTED && hki_is_activation(y))
            status = add_layer(it, logits, y);
    }
    for (int i = 0; i < it->n_layers; i++)
        widest = hki_max(widest, it->layers[i].site.channels);
    if (!status && !it->n_layers)
        status = hki_fail(HK_BAD_ARGUMENT,
                          "continual: the net has no layer of units that are made and read by "
                          "weights alone, which could begin anew");
    if (!status && !(it->outgoing = hki_alloc_array((size_t)widest, sizeof *it->outgoing)))
        status = HK_NO_MEMORY;
    if (status) {
        hki_continual_free(it);
        *out = NULL;
    }
    return status;
}

void hki_continual_free(hki_continual *it)
{
    for (int i = 0; it && i < it->n_layers; i++) {
        hki_site_clear(&it->layers[i].site);
        hki_free(it->layers[i].activity);
        hki_free(it->layers[i].utility);
        hki_free(it->layers[i].age);
    }
    if (it) {
        hki_free(it->layers);
        hki_free(it->outgoing);
    }
    hki_free(it);
}

/* ---- A step ------------------------------------------------------------------------------------- */

void hki_continual_look(hki_continual *it, hk_plan *plan, int64_t n)
{
    for (int i = 0; i < it->n_layers; i++) {
        const hki_units_watched *layer = &it->layers[i];
        const int64_t channels = layer->site.channels, rows = hki_rows(&layer->site.y->shape, n);
        const float *h = hk_plan_value(plan, layer->site.y);
        memset(layer->activity, 0, (size_t)channels * sizeof *layer->activity);
        for (int64_t r = 0; r < rows; r++, h += channels)
            for (int64_t j = 0; j < channels; j++)
                layer->activity[j] += (double)fabsf(h[j]);
        for (int64_t j = 0; j < channels; j++)
            layer->activity[j] /= (double)rows;
    }
}

/* The mature unit of the smallest utility; -1: none is mature. */
static int64_t find_useless(const hki_continual *it, const hki_units_watched *layer)
{
    int64_t found = -1;
    double least = 0;
    for (int64_t j = 0; j < layer->site.channels; j++) {
        if (layer->age[j] <= it->maturity)
            continue;
        const double utility = layer->utility[j] / (1 - pow(it->decay, (double)layer->age[j]));
        if (found < 0 || utility < least) {
            found = j;
            least = utility;
        }
    }
    return found;
}

static void update_utilities(const hki_continual *it, hki_units_watched *layer,
                             const hk_tensor *logits)
{
    int64_t mature = 0;
    hki_sum_readers(layer->site.y, logits, it->outgoing);
    for (int64_t j = 0; j < layer->site.channels; j++) {
        layer->utility[j] =
            it->decay * layer->utility[j] + (1 - it->decay) * layer->activity[j] * it->outgoing[j];
        mature += ++layer->age[j] > it->maturity;
    }
    layer->due += it->rate * (double)mature;
}

hk_status hki_continual_step(hki_continual *it, hk_tensor *logits, uint64_t key,
                             hk_optimizer *optimizer)
{
    hk_status status = HK_OK;
    for (int i = 0; i < it->n_layers && !status; i++) {
        hki_units_watched *layer = &it->layers[i];
        bool *chosen = layer->site.dead, any = false;
        update_utilities(it, layer, logits);
        memset(chosen, 0, (size_t)layer->site.channels * sizeof *chosen);
        for (int64_t j; layer->due > 1 && (j = find_useless(it, layer)) >= 0; layer->due--) {
            chosen[j] = any = true;
            layer->utility[j] = 0;
            layer->age[j] = 0;
            it->replaced++;
        }
        if (any)
            status = hki_site_renew(&layer->site, logits,
                                    hki_key(key, HKI_STREAM_INIT, (uint64_t)i, 3), optimizer);
        if (any)
            hki_values_changed(logits->net);
    }
    return status;
}

/* ---- As text, and back: a line "REPLACED", then for each layer "DUE UTILITY AGE UTILITY AGE ..." ----- */

char *hki_continual_text(const hki_continual *it)
{
    char number[HKI_NUMBER_SIZE];
    size_t size = HKI_NUMBER_SIZE, used;
    for (int i = 0; i < it->n_layers; i++)
        size += 2 * HKI_NUMBER_SIZE * (size_t)(it->layers[i].site.channels + 1);
    char *text = hki_alloc(size);
    if (!text)
        return NULL;
    used = (size_t)snprintf(text, size, "%lld", (long long)it->replaced);
    for (int i = 0; i < it->n_layers; i++) {
        const hki_units_watched *layer = &it->layers[i];
        used += (size_t)snprintf(text + used, size - used, "\n%s",
                                 hki_number_text(layer->due, 17, number));
        for (int64_t j = 0; j < layer->site.channels; j++)
            used += (size_t)snprintf(text + used, size - used, " %s %lld",
                                     hki_number_text(layer->utility[j], 17, number),
                                     (long long)layer->age[j]);
    }
    return text;
}

static bool take_number(char **line, double *out)
{
    const char *word = strsep(line, " ");
    return word && hki_parse_double(word, out) && *out >= 0;
}

static bool parse(hki_continual *it, char *text)
{
    double number;
    char *line = strsep(&text, "\n");
    bool right = take_number(&line, &number);
    it->replaced = right ? (int64_t)number : 0;
    for (int i = 0; i < it->n_layers && right; i++) {
        hki_units_watched *layer = &it->layers[i];
        line = strsep(&text, "\n");
        right = line && take_number(&line, &layer->due);
        for (int64_t j = 0; j < layer->site.channels && right; j++) {
            right = take_number(&line, &layer->utility[j]) && take_number(&line, &number) &&
                    number < 0x1p53;
            layer->age[j] = right ? (int64_t)number : 0;
        }
        right = right && !line;
    }
    return right && !text;
}

hk_status hki_continual_load(hki_continual *it, const char *path, const char *text)
{
    char *copy = text ? hki_copy_text(text) : NULL;
    if (text && !copy)
        return HK_NO_MEMORY;
    const bool right = copy && parse(it, copy);
    hki_free(copy);
    return right ? HK_OK
                 : hki_fail(HK_BAD_DATA,
                            "%s: metadata " HKI_CONTINUAL_KEY
                            " is not that of continual backpropagation of this net",
                            path);
}
