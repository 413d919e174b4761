/* The figures of one row: what its seeds have in common. */
#include "report/rows.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double no = (double)NAN;

/* ---- Means over seeds ------------------------------------------------------------------------ */

static bool is_averaged(const run_record *run, bool some_ok)
{
    return some_ok ? run->state == RUN_OK : run->n_epochs > 0;
}

/* Chooses the runs to average, and how many epochs and layers they have. */
static const run_record **choose_runs(analysis *a, row_view *row)
{
    const run_record **chosen = analysis_take(a, (size_t)row->n_runs, sizeof *chosen);
    bool some_ok = false;
    if (!chosen)
        return NULL;
    for (int i = 0; i < row->n_runs; i++)
        some_ok = some_ok || row->runs[i]->state == RUN_OK;
    for (int i = 0; i < row->n_runs; i++)
        if (is_averaged(row->runs[i], some_ok)) {
            chosen[row->averaged++] = row->runs[i];
            if (row->runs[i]->n_epochs > row->n_epochs)
                row->n_epochs = row->runs[i]->n_epochs;
        }
    return chosen;
}

static double epoch_value(const epoch_record *e, int which)
{
    return which == 0 ? e->accuracy : which == 1 ? e->loss : e->train_loss;
}

static bool take_course(analysis *a, row_view *row, const run_record **runs, int which, course *out)
{
    size_t n = (size_t)row->n_epochs;
    out->mean = analysis_take_unknown(a, n);
    out->low = analysis_take_unknown(a, n);
    out->high = analysis_take_unknown(a, n);
    if (!out->mean || !out->low || !out->high)
        return false;
    for (int e = 0; e < row->n_epochs; e++) {
        double sum = 0;
        int seen = 0;
        for (int i = 0; i < row->averaged; i++) {
            double value = e < runs[i]->n_epochs ? epoch_value(&runs[i]->epochs[e], which) : no;
            if (!isfinite(value))
                continue;
            sum += value;
            seen++;
            out->low[e] = fmin(out->low[e], value); /* fmin and fmax pass NAN over */
            out->high[e] = fmax(out->high[e], value);
        }
        out->mean[e] = seen ? sum / seen : no;
    }
    return true;
}

static bool take_courses(analysis *a, row_view *row, const run_record **runs)
{
    if (!take_course(a, row, runs, 0, &row->accuracy) ||
        !take_course(a, row, runs, 1, &row->loss) ||
        !take_course(a, row, runs, 2, &row->train_loss))
        return false;
    row->gap = analysis_take_unknown(a, (size_t)row->n_epochs);
    for (int e = 0; row->gap && e < row->n_epochs; e++)
        row->gap[e] = row->loss.mean[e] - row->train_loss.mean[e];
    return row->gap != NULL;
}

static const layer_record *find_layer(const run_record *run, int epoch, const char *name, int usual)
{
    if (epoch >= run->n_epochs)
        return NULL;
    const epoch_record *e = &run->epochs[epoch];
    if (usual < e->n_layers && strcmp(e->layers[usual].layer, name) == 0)
        return &e->layers[usual];
    for (int i = 0; i < e->n_layers; i++)
        if (strcmp(e->layers[i].layer, name) == 0)
            return &e->layers[i];
    return NULL;
}

static bool name_layers(analysis *a, row_view *row, const run_record **runs)
{
    const epoch_record *first = NULL;
    for (int i = 0; i < row->averaged && !first; i++)
        if (runs[i]->n_epochs && runs[i]->epochs[0].n_layers)
            first = &runs[i]->epochs[0];
    row->n_layers = first ? first->n_layers : 0;
    row->layers = analysis_take(a, (size_t)row->n_layers, sizeof *row->layers);
    for (int l = 0; row->layers && l < row->n_layers; l++)
        row->layers[l] = first->layers[l].layer;
    return row->layers != NULL;
}

static void average_cell(row_view *row, const run_record **runs, int l, int e)
{
    double sums[LAYER_FIGURES] = {0};
    int seen[LAYER_FIGURES] = {0};
    for (int i = 0; i < row->averaged; i++) {
        const layer_record *layer = find_layer(runs[i], e, row->layers[l], l);
        for (int k = 0; layer && k < LAYER_FIGURES; k++) {
            double value = layer_value(layer, (layer_figure)k);
            if (isfinite(value)) {
                sums[k] += value;
                seen[k]++;
            }
        }
    }
    for (int k = 0; k < LAYER_FIGURES; k++)
        if (seen[k])
            row->figures[k][l * row->n_epochs + e] = sums[k] / seen[k];
}

static bool take_layers(analysis *a, row_view *row, const run_record **runs)
{
    if (!name_layers(a, row, runs))
        return false;
    for (int k = 0; k < LAYER_FIGURES; k++) {
        row->figures[k] = analysis_take_unknown(a, (size_t)row->n_layers * (size_t)row->n_epochs);
        if (!row->figures[k])
            return false;
    }
    for (int l = 0; l < row->n_layers; l++)
        for (int e = 0; e < row->n_epochs; e++)
            average_cell(row, runs, l, e);
    return true;
}

/* ---- Histograms ------------------------------------------------------------------------------ */

/* Shares one recorded bin out to the common bins it overlaps. */
static void add_bin(layer_histogram *h, moment m, double low, double high, double count)
{
    double width = (h->high - h->low) / HISTOGRAM_BINS;
    int first = (int)((low - h->low) / width), last = (int)((high - h->low) / width);
    first = first < 0 ? 0 : first > HISTOGRAM_BINS - 1 ? HISTOGRAM_BINS - 1 : first;
    last = last < first ? first : last > HISTOGRAM_BINS - 1 ? HISTOGRAM_BINS - 1 : last;
    for (int i = first; i <= last; i++) {
        double from = fmax(low, h->low + i * width), to = fmin(high, h->low + (i + 1) * width);
        double part = high > low && last > first ? fmax(to - from, 0) / (high - low) : 1;
        h->shares[m][i] += count * part;
    }
}

static void add_histogram(layer_histogram *h, moment m, const layer_record *layer)
{
    double step = (layer->high - layer->low) / HISTOGRAM_BINS;
    h->has[m] = true;
    for (int i = 0; i < HISTOGRAM_BINS; i++)
        if (layer->histogram[i] > 0)
            add_bin(h, m, layer->low + i * step, layer->low + (i + 1) * step,
                    (double)layer->histogram[i]);
}

/* The first, the last and, between them, the middle epoch that has a histogram. */
static moment moment_of(const run_record *run, int epoch)
{
    return epoch == 0 ? AT_START : epoch == run->n_epochs - 1 ? AT_END : IN_THE_MIDDLE;
}

static bool usable(const layer_record *layer)
{
    return layer && layer->has_histogram && isfinite(layer->low) && isfinite(layer->high) &&
           layer->low <= layer->high;
}

static void scale_shares(layer_histogram *h)
{
    for (int m = 0; m < MOMENTS_OF_A_RUN; m++) {
        double sum = 0;
        for (int i = 0; i < HISTOGRAM_BINS; i++)
            sum += h->shares[m][i];
        h->has[m] = sum > 0;
        for (int i = 0; h->has[m] && i < HISTOGRAM_BINS; i++)
            h->shares[m][i] /= sum;
    }
}

static void take_histogram(row_view *row, const run_record **runs, int l)
{
    layer_histogram *h = &row->histograms[l];
    h->low = HUGE_VAL;
    h->high = -HUGE_VAL;
    for (int pass = 0; pass < 2; pass++) {
        for (int i = 0; i < row->averaged; i++)
            for (int e = 0; e < runs[i]->n_epochs; e++) {
                const layer_record *layer = find_layer(runs[i], e, row->layers[l], l);
                if (!usable(layer))
                    continue;
                if (pass)
                    add_histogram(h, moment_of(runs[i], e), layer);
                h->low = fmin(h->low, layer->low);
                h->high = fmax(h->high, layer->high);
            }
        if (h->low >= h->high) /* a single value */
            h->high = h->low + fmax(fabs(h->low), 1) * 1e-3;
    }
    scale_shares(h);
}

/* ---- A row ----------------------------------------------------------------------------------- */

/* Mean of one double of each averaged run. */
static double mean_at(const row_view *row, const run_record **runs, size_t offset)
{
    double sum = 0;
    int n = 0;
    for (int i = 0; i < row->averaged; i++) {
        double value = *(const double *)(const void *)((const char *)runs[i] + offset);
        if (isfinite(value)) {
            sum += value;
            n++;
        }
    }
    return n ? sum / n : no;
}

/* Means of whole runs. The first epoch is left out of the time where there are others: it warms up.
 */
static void take_costs(row_view *row, const run_record **runs)
{
    double seconds = 0, dead = 0;
    int n = 0, with_layers = 0;
    for (int i = 0; i < row->averaged; i++) {
        for (int e = runs[i]->n_epochs > 1; e < runs[i]->n_epochs; e++)
            if (isfinite(runs[i]->epochs[e].seconds)) {
                seconds += runs[i]->epochs[e].seconds;
                n++;
            }
        double share = run_share(runs[i], LAYER_DEAD);
        dead += isfinite(share) ? share : 0;
        with_layers += isfinite(share) != 0;
    }
    row->epoch_seconds = n ? seconds / n : no;
    row->dead = with_layers ? dead / with_layers : no;
    row->images_per_s = mean_at(row, runs, offsetof(run_record, images_per_s));
    row->peak_mib = mean_at(row, runs, offsetof(run_record, peak_mib));
    row->macro_f1 = mean_at(row, runs, offsetof(run_record, test_macro_f1));
    row->loss_at_test = mean_at(row, runs, offsetof(run_record, test_loss));
}

bool row_average(analysis *a, row_view *row)
{
    const run_record **runs = choose_runs(a, row);
    if (!runs || !take_courses(a, row, runs) || !take_layers(a, row, runs))
        return false;
    row->histograms = analysis_take(a, (size_t)row->n_layers, sizeof *row->histograms);
    for (int l = 0; row->histograms && l < row->n_layers; l++)
        take_histogram(row, runs, l);
    take_costs(row, runs);
    return row->histograms != NULL;
}
