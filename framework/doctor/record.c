/* The record of a training: after each step the norm of each layer's parameters is compared with
 * that before. A step longer than the parameters are large shows as growth, whatever the optimizer
 * and its rate. Of a large tensor two slices stand for all, so that this costs under 1 % of a step
 * even in a net of dense layers alone. */
#include "doctor/record.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "nn/nn.h"

/* A slice of a learned tensor, and how many floats of that each of its own stands for. */
typedef struct sample {
    const float *w;
    int64_t n;
    int layer;
    double weight, square;
} sample;

enum { SLICES = 2 }; /* of a tensor, at most */

struct hki_record {
    const hk_optimizer *optimizer;
    hk_record so_far;
    hk_record_layer *layers; /* of so_far, [n_layers], by the net's numbers */
    double *norms, *after;   /* [n_layers] each; norms: after the last step */
    sample *samples;
    int64_t n_samples;
};

/* Of each tensor's slices, a few that lie evenly among them stand for all. */
static hk_status choose_samples(hki_record *record)
{
    const hk_optimizer *optimizer = record->optimizer;
    sample *samples = hki_alloc_array((size_t)optimizer->n_slices, sizeof *samples);
    if (!samples)
        return HK_NO_MEMORY;
    hki_free(record->samples);
    record->samples = samples;
    record->n_samples = 0;
    for (int64_t i = 0, n; i < optimizer->n_slices; i += n) {
        const hki_slice *first = &optimizer->slices[i];
        const hk_tensor *t = first->tensor;
        for (n = 1; i + n < optimizer->n_slices && first[n].tensor == t; n++)
            ;
        int64_t taken = t->layer >= 0 ? hki_min(n, SLICES) : 0, floats = 0;
        sample *own = samples + record->n_samples;
        for (int64_t k = 0; k < taken; k++) {
            const hki_slice *p = &first[(2 * k + 1) * n / (2 * taken)];
            own[k] = (sample){.w = t->value + p->first, .n = p->n, .layer = t->layer};
            floats += p->n;
        }
        for (int64_t k = 0; k < taken; k++)
            own[k].weight = (double)hki_count(&t->shape, 1) / (double)floats;
        record->n_samples += taken;
    }
    return HK_OK;
}

/* Euclidean norms of the layers' learned tensors; sums in the order of the samples. */
static void measure(const hki_record *record, double *norms)
{
    const hki_kernels *kernels = hki_kernels_active();
    int64_t n = record->n_samples;
    memset(norms, 0, (size_t)record->so_far.n_layers * sizeof *norms);
#pragma omp parallel for num_threads(hki_threads_for((n * 1024))) schedule(static)
    for (int64_t i = 0; i < n; i++) {
        sample *s = &record->samples[i];
        s->square = s->weight * kernels->sum_squares(s->n, s->w);
    }
    for (int64_t i = 0; i < n; i++)
        norms[record->samples[i].layer] += record->samples[i].square;
    for (int i = 0; i < record->so_far.n_layers; i++)
        norms[i] = sqrt(norms[i]);
}

static hki_record *record_of(const hk_trainer *t)
{
    return ((const hki_attached *)t->attached)->record;
}

hk_status hki_record_measure(hk_trainer *t)
{
    hki_record *record = record_of(t);
    hk_status status = choose_samples(record);
    if (!status)
        measure(record, record->norms);
    return status;
}

hk_status hki_record_start(hk_trainer *t)
{
    hk_net *net = t->logits->net;
    hki_record *record = ((hki_attached *)t->attached)->record = hki_alloc(sizeof *record);
    if (!record)
        return HK_NO_MEMORY;
    size_t n = (size_t)net->choices->n_layers;
    record->optimizer = t->optimizer;
    record->so_far.n_layers = (int)n;
    record->so_far.layers = record->layers = hki_alloc_array(n, sizeof *record->layers);
    record->norms = hki_alloc_array(n, sizeof *record->norms);
    record->after = hki_alloc_array(n, sizeof *record->after);
    hk_net_digest(net, record->so_far.start);
    if (!record->layers || !record->norms || !record->after || !*record->so_far.start ||
        hki_record_measure(t))
        return HK_NO_MEMORY;
    for (int i = 0; i < record->so_far.n_layers; i++) {
        hk_record_layer *layer = &record->layers[i];
        snprintf(layer->layer, sizeof layer->layer, "%s", hki_layer_name(net, i));
        layer->start = record->norms[i];
        layer->growth = 1;
    }
    return HK_OK;
}

void hki_record_free(hki_record *record)
{
    if (!record)
        return;
    hki_free(record->layers);
    hki_free(record->norms);
    hki_free(record->after);
    hki_free(record->samples);
    hki_free(record);
}

void hki_record_step(hk_trainer *t, double loss)
{
    hki_record *record = record_of(t);
    hk_record *r = &record->so_far;
    if (++r->steps == 1)
        r->first_loss = loss;
    if (r->steps == 1 || loss > r->max_loss) {
        r->max_loss = loss;
        r->max_loss_step = r->steps;
    }
    measure(record, record->after);
    for (int i = 0; i < r->n_layers; i++) {
        double growth = record->norms[i] > 0 ? record->after[i] / record->norms[i] : 1;
        if (growth > record->layers[i].growth) {
            record->layers[i].growth = fmin(growth, 1e300); /* files hold no infinity */
            record->layers[i].step = r->steps;
        }
        record->norms[i] = record->after[i];
    }
}

/* ---- As text, and back -----------------------------------------------------------------------
 * A line "DIGEST STEPS FIRST_LOSS MOST_LOSS MOST_STEP", then "START GROWTH STEP LAYER" for each. */

char *hki_record_text(const hk_trainer *t)
{
    enum { LINE = sizeof(hk_record){0}.start + HKI_LAYER_NAME + 4 * HKI_NUMBER_SIZE };
    const hk_record *r = &record_of(t)->so_far;
    size_t size = LINE * ((size_t)r->n_layers + 1), used;
    char *text = hki_alloc(size), one[HKI_NUMBER_SIZE], other[HKI_NUMBER_SIZE];
    if (!text)
        return NULL;
    used = (size_t)snprintf(text, size, "%s %lld %s %s %lld", *r->start ? r->start : "-",
                            (long long)r->steps, hki_number_text(r->first_loss, 17, one),
                            hki_number_text(r->max_loss, 17, other), (long long)r->max_loss_step);
    for (int i = 0; i < r->n_layers; i++) {
        const hk_record_layer *l = &r->layers[i];
        used += (size_t)snprintf(
            text + used, size - used, "\n%s %s %lld %s", hki_number_text(l->start, 17, one),
            hki_number_text(l->growth, 17, other), (long long)l->step, l->layer);
    }
    return text;
}

static bool take_number(char **line, double *out)
{
    const char *word = strsep(line, " ");
    return word && hki_parse_double(word, out);
}

static bool take_count(char **line, int64_t *out)
{
    const char *word = strsep(line, " ");
    return word && hki_parse_int(word, 0, INT64_MAX / 2, out); /* there is room for more steps */
}

static bool take_text(const char *text, char *out, size_t size)
{
    if (!text || !*text || strlen(text) >= size)
        return false;
    memcpy(out, text, strlen(text) + 1);
    return true;
}

/* Fills `out`, and layers[n_layers] of it, from the text, which is cut up. */
static bool parse_record(char *text, hk_record *out, hk_record_layer *layers)
{
    char *line = strsep(&text, "\n");
    bool right = take_text(strsep(&line, " "), out->start, sizeof out->start) &&
                 take_count(&line, &out->steps) && take_number(&line, &out->first_loss) &&
                 take_number(&line, &out->max_loss) && take_count(&line, &out->max_loss_step) &&
                 !line;
    for (int i = 0; i < out->n_layers && right; i++) {
        hk_record_layer *l = &layers[i];
        line = strsep(&text, "\n");
        right = line && take_number(&line, &l->start) && l->start >= 0 &&
                take_number(&line, &l->growth) && l->growth >= 1 && take_count(&line, &l->step) &&
                take_text(line, l->layer, sizeof l->layer);
    }
    if (!strcmp(out->start, "-")) /* an unknown start */
        out->start[0] = '\0';
    return right && !text;
}

static hk_status damaged(const char *path)
{
    return hki_fail(HK_BAD_DATA,
                    "%s: metadata " HKI_RECORD_KEY " is not the record of a training of this net",
                    path);
}

hk_status hki_record_load(hk_trainer *t, const char *path, const hki_st_file *file)
{
    hki_record *record = record_of(t);
    const char *found = hki_st_meta_get(file, HKI_RECORD_KEY);
    if (!found) {
        record->so_far.start[0] = '\0';
        return HK_OK;
    }
    char *text = hki_copy_text(found);
    if (!text)
        return HK_NO_MEMORY;
    bool fits = parse_record(text, &record->so_far, record->layers);
    for (int i = 0; fits && i < record->so_far.n_layers; i++)
        fits = !strcmp(record->layers[i].layer, hki_layer_name(record->optimizer->net, i));
    hki_free(text);
    return fits ? HK_OK : damaged(path);
}

static hk_status read_record(const char *path, const hki_st_file *file, const char *found,
                             hk_record **out)
{
    const char *optimizer = hki_st_meta_get(file, "hk.optimizer");
    const char *seed = hki_st_meta_get(file, "hk.seed");
    int64_t number = 0;
    hk_status status = HK_OK;
    hk_record *record = hki_alloc(sizeof *record);
    if (!record)
        return HK_NO_MEMORY;
    for (const char *c = found; *c; c++)
        record->n_layers += *c == '\n';
    char *text = hki_copy_text(found);
    hk_record_layer *layers = hki_alloc_array((size_t)record->n_layers, sizeof *layers);
    record->layers = layers;
    if (!text || !layers)
        status = HK_NO_MEMORY;
    else if (!parse_record(text, record, layers) || !optimizer || !seed ||
             !hki_parse_int(seed, 0, INT64_MAX, &number))
        status = damaged(path);
    hki_free(text);
    if (status) {
        hk_record_free(record);
        return status;
    }
    snprintf(record->optimizer, sizeof record->optimizer, "%s", optimizer);
    record->seed = (uint64_t)number;
    *out = record;
    return HK_OK;
}

hk_status hk_record_read(const char *path, hk_record **out)
{
    hki_st_file file;
    if (out)
        *out = NULL;
    if (hki_null(path, out))
        return HK_BAD_ARGUMENT;
    hk_status status = hki_st_read(path, &file);
    if (status)
        return status;
    const char *text = hki_st_meta_get(&file, HKI_RECORD_KEY);
    if (text)
        status = read_record(path, &file, text, out);
    hki_st_clear(&file);
    return status;
}

void hk_record_free(hk_record *record)
{
    if (!record)
        return;
    hki_free((void *)record->layers);
    hki_free(record);
}
