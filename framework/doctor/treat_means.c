/* The means that a treatment keeps: of what goes into each activation, and of the logits.
 *
 * One batch runs through the net twice, before and after. The second time, every mean that has moved
 * is brought back as soon as its tensor is there, by the bias, the beta or the running mean that it
 * was computed with, and in the tensor itself, so that what follows sees it restored. So a swapped
 * channel's new mean output is taken from the next layer's bias, -W E[g(x) - f(x)], with padding and
 * pooling as they are; what the net's curvature leaves of it, from the layers' behind. */
#include "doctor/treat.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Finds the product and the normalization that x ends in, looking through additions. */
static bool find_origin(hki_site *site, hk_tensor *x)
{
    if (x->role != HKI_COMPUTED)
        return false;
    if (hki_is_product(x)) {
        site->product = x;
        return true;
    }
    if (x->op == &hki_op_add && hki_same_shape(&x->inputs[0]->shape, &x->inputs[1]->shape))
        return find_origin(site, x->inputs[0]) || find_origin(site, x->inputs[1]);
    if (x->op != &hki_op_normalize || !find_origin(site, x->inputs[0]))
        return false;
    site->norm = x;
    return true;
}

hk_status hki_site_open(const hk_tensor *x, hk_tensor *y, hki_site *out)
{
    size_t n = (size_t)hki_channels(&x->shape);
    *out = (hki_site){.x = x, .y = y, .channels = (int64_t)n};
    if (find_origin(out, x->net->tensors[x->id])) {
        hk_tensor *weight = out->product->inputs[1];
        for (; weight->op; weight = weight->inputs[0])
            out->weight_is_normed = out->weight_is_normed || weight->op == &hki_op_normalize_weight;
        out->weight = weight;
        out->bias = out->product->n_inputs > 2 ? out->product->inputs[2] : NULL;
    }
    size_t n_coef = out->norm ? hki_use_of(out->norm)->plugin->normalization->n_coef : 0;
    out->mean = hki_alloc_array(n, sizeof *out->mean);
    out->square = hki_alloc_array(n, sizeof *out->square);
    out->coef = hki_alloc_array(n * n_coef, sizeof *out->coef);
    out->dead = hki_alloc_array(n, sizeof *out->dead);
    out->redrawn = hki_alloc_array(n, sizeof *out->redrawn);
    return out->mean && out->square && out->coef && out->dead && out->redrawn ? HK_OK
                                                                              : HK_NO_MEMORY;
}

void hki_site_clear(hki_site *site)
{
    hki_free(site->mean);
    hki_free(site->square);
    hki_free(site->coef);
    hki_free(site->dead);
    hki_free(site->redrawn);
}

hk_tensor *hki_site_slot(const hki_site *site, const char *name)
{
    const hk_plugin *plugin = site->norm ? hki_use_of(site->norm)->plugin : NULL;
    for (int i = 0; plugin && i < hki_slot_count(plugin); i++)
        if (!strcmp(plugin->slots[i].name, name))
            return site->norm->inputs[1 + i];
    return NULL;
}

hk_tensor *hki_site_bias(const hki_site *site)
{
    return site->norm ? hki_site_slot(site, "beta") : site->bias;
}

/* Adds by[channels] to the means of x; what does not depend on it stays: the statistics of a batch
 * move with the batch, so their running mean takes it, not beta. The frozen normalization is
 * y = coef[0] x + coef[1]. */
static bool move_means(const hki_site *site, const double *by)
{
    hk_tensor *running = hki_site_slot(site, "running_mean"), *bias = hki_site_bias(site);
    if (running) {
        const hki_use *use = hki_use_of(site->norm);
        float *slots[HK_MAX_SLOTS] = {0};
        for (int i = 1; i < site->norm->n_inputs; i++)
            slots[i - 1] = site->norm->inputs[i]->value;
        hk_context context = {.rows = 1,
                              .channels = site->channels,
                              .rows_per_sample = 1,
                              .params = use->params,
                              .slots = slots};
        use->plugin->normalization->frozen(&context, site->coef);
        for (int64_t j = 0; j < site->channels; j++)
            if (site->coef[j] != 0)
                running->value[j] -= (float)(by[j] / (double)site->coef[j]);
    } else if (bias) {
        for (int64_t j = 0; j < site->channels; j++)
            bias->value[j] += (float)by[j];
    }
    return running || bias;
}

typedef struct run {
    hki_site *sites;
    int n_sites;
    bool restores;
    double *parts, *means, *by; /* [HKI_MAX_CHUNKS], [1], [1] of the widest site's channels */
    int64_t widest;
    float *column;
} run;

enum { QUANTILE_ROWS = 65536 };

/* Of x, or of its squares: sums of chunks of rows, which are added in order. */
static void find_means(const run *it, int64_t rows, int64_t c, bool squared, const float *x,
                       double *means)
{
    hki_chunks chunks = hki_chunks_of(rows, c, hki_tile_rows(c));
#pragma omp parallel for num_threads(hki_threads_for((rows * c))) schedule(static)
    for (int i = 0; i < chunks.count; i++) {
        double *sums = it->parts + i * it->widest;
        int64_t first = i * chunks.size, end = hki_chunk_end(&chunks, first);
        memset(sums, 0, (size_t)c * sizeof *sums);
        for (int64_t r = first; r < end; r++)
            for (int64_t j = 0; j < c; j++)
                sums[j] += (double)x[r * c + j] * (squared ? (double)x[r * c + j] : 1);
    }
    for (int64_t j = 0; j < c; j++) {
        double sum = 0;
        for (int i = 0; i < chunks.count; i++)
            sum += it->parts[i * it->widest + j];
        means[j] = sum / (double)rows;
    }
}

static void add_to_rows(int64_t rows, int64_t c, const double *by, float *x)
{
#pragma omp parallel for num_threads(hki_threads_for((rows * c))) schedule(static)
    for (int64_t r = 0; r < rows; r++)
        for (int64_t j = 0; j < c; j++)
            x[r * c + j] = (float)((double)x[r * c + j] + by[j]);
}

static int by_size(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

/* Moves the bias of each dead channel so that a share q of its values is above 0: by the quantile over
 * all rows or many, spread by the golden ratio, for no image is so wide that they would fall on the
 * same columns again and again. */
static void make_fire(const run *it, const hki_site *site, int64_t rows, float *x)
{
    const int64_t n = hki_min(rows, QUANTILE_ROWS), at = (int64_t)((1 - site->q) * (double)n) - 1;
    hk_tensor *bias = hki_site_bias(site);
    for (int64_t j = 0; j < site->channels; j++) {
        it->by[j] = 0;
        if (!site->dead[j])
            continue;
        for (int64_t i = 0; i < n; i++) {
            int64_t r = n == rows ? i : i * INT64_C(2654435769) % rows;
            it->column[i] = x[r * site->channels + j];
        }
        qsort(it->column, (size_t)n, sizeof *it->column, by_size);
        it->by[j] = -(double)it->column[at < 0 ? 0 : at];
        bias->value[j] += (float)it->by[j];
    }
    add_to_rows(rows, site->channels, it->by, x);
}

static void watch(void *user, const hki_call *call, bool back, double seconds)
{
    const run *it = user;
    int64_t rows = hki_rows(&call->tensor->shape, call->batch);
    (void)back, (void)seconds;
    for (int i = 0; i < it->n_sites; i++) {
        hki_site *site = &it->sites[i];
        if (site->x != call->tensor)
            continue;
        if (!it->restores) {
            find_means(it, rows, site->channels, false, call->y, site->mean);
            find_means(it, rows, site->channels, true, call->y, site->square);
            continue;
        }
        bool moved = false;
        find_means(it, rows, site->channels, false, call->y, it->means);
        for (int64_t j = 0; j < site->channels; j++) {
            it->by[j] = site->redrawn[j] ? 0 : site->mean[j] - it->means[j];
            moved = moved || it->by[j] != 0;
        }
        if (moved && move_means(site, it->by))
            add_to_rows(rows, site->channels, it->by, call->y);
        if (site->q > 0)
            make_fire(it, site, rows, call->y);
    }
}

static hk_status run_plan(hk_plan *plan, int64_t n, run *it)
{
    for (int i = 0; i < it->n_sites; i++)
        it->widest = hki_max(it->widest, it->sites[i].channels);
    it->parts = hki_alloc_array(HKI_MAX_CHUNKS * (size_t)it->widest, sizeof *it->parts);
    it->means = hki_alloc_array((size_t)it->widest, sizeof *it->means);
    it->by = hki_alloc_array((size_t)it->widest, sizeof *it->by);
    it->column = hki_alloc_array(QUANTILE_ROWS, sizeof *it->column);
    hk_status status = HK_NO_MEMORY;
    if (it->parts && it->means && it->by && it->column) {
        hki_plan_watch(plan, watch, it);
        status = hk_plan_forward(plan, n);
        hki_plan_watch(plan, NULL, NULL);
    }
    hki_free(it->parts);
    hki_free(it->means);
    hki_free(it->by);
    hki_free(it->column);
    return status;
}

hk_status hki_keep_means(hk_plan *plan, int64_t n, hki_site *sites, int n_sites)
{
    run it = {.sites = sites, .n_sites = n_sites};
    return run_plan(plan, n, &it);
}

/* The last site is the logits'. The shift is measured by a second run, in which nothing is restored. */
hk_status hki_restore_means(hk_plan *plan, int64_t n, hki_site *sites, int n_sites, double *shift)
{
    run it = {.sites = sites, .n_sites = n_sites, .restores = true};
    const hki_site *logits = &sites[n_sites - 1];
    hk_status status = run_plan(plan, n, &it);
    if (!status)
        status = hk_plan_forward(plan, n);
    *shift = 0;
    for (int64_t j = 0; j < logits->channels && !status; j++) {
        double sum = 0;
        for (int64_t r = 0; r < n; r++)
            sum += (double)hk_plan_value(plan, logits->x)[r * logits->channels + j];
        *shift = fmax(*shift, fabs(sum / (double)n - logits->mean[j]));
    }
    return status;
}
