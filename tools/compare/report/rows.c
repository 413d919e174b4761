/* The figures of one row: what its seeds have in common. */
#include "compare/report/analysis.h"
#include "compare/figures.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

/* ---- Means over seeds ------------------------------------------------------------------------ */

/* Of what was measured. */
typedef struct mean {
    double sum;
    int n;
} mean;

static void mean_take(mean *m, double value)
{
    if (isfinite(value)) {
        m->sum += value;
        m->n++;
    }
}

static double mean_value(const mean *m)
{
    return m->n ? m->sum / m->n : UNKNOWN;
}

enum { LEARNING = sizeof(epoch_record) }; /* in place of an offset: the share of units that learn */

static double learning(const epoch_record *epoch)
{
    double dead = 0, units = 0;
    for (int i = 0; i < epoch->n_layers; i++) {
        const layer_record *l = &epoch->layers[i];
        if (isfinite(l->dead)) {
            dead += l->dead * (double)l->units;
            units += (double)l->units;
        }
    }
    return units > 0 ? 1 - dead / units : UNKNOWN;
}

static double double_at(const void *record, size_t offset)
{
    return *(const double *)(const void *)((const char *)record + offset);
}

/* Chooses the runs to average, and how many epochs they have. */
static bool choose_runs(analysis *a, row_view *row)
{
    bool some_ok = false;
    row->averaged = report_analysis_take(a, (size_t)row->n_runs, sizeof *row->averaged);
    if (!row->averaged)
        return false;
    for (int i = 0; i < row->n_runs; i++)
        some_ok = some_ok || row->runs[i].state == RUN_OK;
    for (int i = 0; i < row->n_runs; i++)
        if (some_ok ? row->runs[i].state == RUN_OK : row->runs[i].n_epochs > 0) {
            row->averaged[row->n_averaged++] = &row->runs[i];
            if (row->runs[i].n_epochs > row->n_epochs)
                row->n_epochs = row->runs[i].n_epochs;
        }
    return true;
}

/* `offset`: of the figure in an epoch's record. */
static bool take_course(analysis *a, const row_view *row, size_t offset, course *out)
{
    size_t n = (size_t)row->n_epochs;
    out->mean = report_analysis_take_unknown(a, 3 * n);
    if (!out->mean)
        return false;
    out->low = out->mean + n;
    out->high = out->low + n;
    for (int e = 0; e < row->n_epochs; e++) {
        mean of = {0};
        for (int i = 0; i < row->n_averaged; i++) {
            const run_record *run = row->averaged[i];
            double value = e >= run->n_epochs   ? UNKNOWN
                           : offset == LEARNING ? learning(&run->epochs[e])
                                                : double_at(&run->epochs[e], offset);
            mean_take(&of, value);
            if (isfinite(value)) {
                out->low[e] = fmin(out->low[e], value); /* fmin and fmax pass NAN over */
                out->high[e] = fmax(out->high[e], value);
            }
        }
        out->mean[e] = mean_value(&of);
    }
    return true;
}

double report_loss_gap(const row_view *row, int epoch)
{
    return row->loss.mean[epoch] - row->training_loss.mean[epoch];
}

/* ---- Layers ---------------------------------------------------------------------------------- */

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

static bool take_layers(analysis *a, row_view *row)
{
    size_t n = 0;
    const epoch_record *first = NULL; /* which names the layers */
    for (int i = 0; i < row->n_averaged && !first; i++)
        if (row->averaged[i]->n_epochs && row->averaged[i]->epochs[0].n_layers)
            first = &row->averaged[i]->epochs[0];
    row->n_layers = first ? first->n_layers : 0;
    row->layers = report_analysis_take(a, (size_t)row->n_layers, sizeof *row->layers);
    if (!row->layers)
        return false;
    for (int l = 0; l < row->n_layers; l++)
        row->layers[l] = first->layers[l].layer;
    while (compare_layer_figures[n].name)
        n++;
    row->figures = report_analysis_take(a, n, sizeof *row->figures);
    for (const figure *f = compare_layer_figures; row->figures && f->name; f++) {
        double *to = NULL;
        if (!f->label)
            continue;
        to = report_analysis_take(a, (size_t)row->n_layers * (size_t)row->n_epochs, sizeof *to);
        if (!to)
            return false;
        row->figures[f - compare_layer_figures] = to;
        for (int l = 0; l < row->n_layers; l++)
            for (int e = 0; e < row->n_epochs; e++) {
                mean of = {0};
                for (int i = 0; i < row->n_averaged; i++) {
                    const layer_record *layer = find_layer(row->averaged[i], e, row->layers[l], l);
                    mean_take(&of, layer ? compare_figure_value(f, layer) : UNKNOWN);
                }
                *to++ = mean_value(&of);
            }
    }
    return row->figures != NULL;
}

const double *report_layer_means(const row_view *row, size_t offset)
{
    return row->figures[compare_figure_index(compare_layer_figures, offset)];
}

/* Shares the recorded bins out to the common bins that they overlap. */
static void add_histogram(layer_histogram *h, moment m, const layer_record *layer)
{
    const double step = (layer->high - layer->low) / HISTOGRAM_BINS;
    const double width = (h->high - h->low) / HISTOGRAM_BINS;
    for (int k = 0; k < HISTOGRAM_BINS; k++) {
        double low = layer->low + k * step, high = layer->low + (k + 1) * step;
        if (layer->histogram[k] <= 0)
            continue;
        int first = (int)((low - h->low) / width), last = (int)((high - h->low) / width);
        first = first < 0 ? 0 : first > HISTOGRAM_BINS - 1 ? HISTOGRAM_BINS - 1 : first;
        last = last < first ? first : last > HISTOGRAM_BINS - 1 ? HISTOGRAM_BINS - 1 : last;
        for (int i = first; i <= last; i++) {
            double from = fmax(low, h->low + i * width), to = fmin(high, h->low + (i + 1) * width);
            double part = high > low && last > first ? fmax(to - from, 0) / (high - low) : 1;
            h->shares[m][i] += (double)layer->histogram[k] * part;
        }
    }
}

/* The first, the last and, between them, the middle epoch have histograms. */
static void take_histogram(row_view *row, int l)
{
    layer_histogram *h = &row->histograms[l];
    h->low = HUGE_VAL;
    h->high = -HUGE_VAL;
    for (int pass = 0; pass < 2; pass++) { /* the range, then what lies in it */
        for (int i = 0; i < row->n_averaged; i++)
            for (int e = 0; e < row->averaged[i]->n_epochs; e++) {
                const layer_record *layer = find_layer(row->averaged[i], e, row->layers[l], l);
                if (!layer || layer->histogram[0] < 0 || !isfinite(layer->low) ||
                    !isfinite(layer->high) || layer->low > layer->high)
                    continue;
                moment m = e == 0                                ? AT_START
                           : e == row->averaged[i]->n_epochs - 1 ? AT_END
                                                                 : IN_THE_MIDDLE;
                if (pass)
                    add_histogram(h, m, layer);
                h->low = fmin(h->low, layer->low);
                h->high = fmax(h->high, layer->high);
            }
        if (h->low >= h->high) /* a single value */
            h->high = h->low + fmax(fabs(h->low), 1) * 1e-3;
    }
    for (int m = 0; m < MOMENTS_OF_A_RUN; m++) {
        double sum = 0;
        for (int i = 0; i < HISTOGRAM_BINS; i++)
            sum += h->shares[m][i];
        h->has[m] = sum > 0;
        for (int i = 0; h->has[m] && i < HISTOGRAM_BINS; i++)
            h->shares[m][i] /= sum;
    }
}

/* `offset`: of the figure in a run's record. */
static double mean_at(const row_view *row, size_t offset)
{
    mean of = {0};
    for (int i = 0; i < row->n_averaged; i++)
        mean_take(&of, double_at(row->averaged[i], offset));
    return mean_value(&of);
}

static bool is_regression(const row_view *row)
{
    const run_record *run = row->n_averaged ? row->averaged[0] : NULL;
    return run && run->n_epochs && isnan(run->epochs[0].accuracy);
}

bool report_is_stream(const row_view *row)
{
    const run_record *run = row->n_averaged ? row->averaged[0] : NULL;
    return run && run->n_epochs && isfinite(run->epochs[0].online_accuracy);
}

static bool take_stream(analysis *a, row_view *row)
{
    const struct {
        size_t offset;
        course *to;
    } courses[] = {{offsetof(epoch_record, online_accuracy), &row->score},
                   {offsetof(epoch_record, train_loss), &row->loss},
                   {offsetof(epoch_record, accuracy), &row->kept},
                   {offsetof(epoch_record, effective_rank), &row->rank},
                   {offsetof(epoch_record, weight_magnitude), &row->magnitude},
                   {offsetof(epoch_record, training_accuracy), &row->training_score},
                   {offsetof(epoch_record, training_loss), &row->training_loss},
                   {LEARNING, &row->learning}};
    bool good = true;
    for (size_t i = 0; i < sizeof courses / sizeof *courses && good; i++)
        good = take_course(a, row, courses[i].offset, courses[i].to);
    return good;
}

/* The figures that an epoch is judged by. */
static bool take_courses(analysis *a, row_view *row)
{
    if (report_is_stream(row))
        return take_stream(a, row);
    const bool r2 = is_regression(row);
    return take_course(a, row, r2 ? offsetof(epoch_record, r2) : offsetof(epoch_record, accuracy),
                       &row->score) &&
           take_course(a, row,
                       r2 ? offsetof(epoch_record, training_r2)
                          : offsetof(epoch_record, training_accuracy),
                       &row->training_score) &&
           take_course(a, row, offsetof(epoch_record, loss), &row->loss) &&
           take_course(a, row, offsetof(epoch_record, training_loss), &row->training_loss);
}

bool report_row_average(analysis *a, row_view *row)
{
    if (!choose_runs(a, row) || !take_courses(a, row) || !take_layers(a, row))
        return false;
    row->histograms = report_analysis_take(a, (size_t)row->n_layers, sizeof *row->histograms);
    for (int l = 0; row->histograms && l < row->n_layers; l++)
        take_histogram(row, l);
    /* The first epoch is left out of the time where there are others: it warms up */
    mean seconds = {0}, dead = {0}, never_positive = {0};
    for (int i = 0; i < row->n_averaged; i++) {
        const run_record *run = row->averaged[i];
        for (int e = run->n_epochs > 1; e < run->n_epochs; e++)
            mean_take(&seconds, run->epochs[e].seconds);
        mean_take(&dead, report_run_mean(run, offsetof(layer_record, dead)));
        mean_take(&never_positive, report_run_mean(run, offsetof(layer_record, never_positive)));
    }
    row->epoch_seconds = mean_value(&seconds);
    row->dead = mean_value(&dead);
    row->never_positive = mean_value(&never_positive);
    row->images_per_s = mean_at(row, offsetof(run_record, images_per_s));
    row->peak_mib = mean_at(row, offsetof(run_record, peak_mib));
    row->macro_f1 = mean_at(row, offsetof(run_record, test_macro_f1));
    row->loss_at_test = mean_at(row, offsetof(run_record, test_loss));
    return row->histograms != NULL;
}
