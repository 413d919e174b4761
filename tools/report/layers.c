/* Layer by layer: units going dark, gradients, what comes out. A small picture for each row. */
#include "report/parts.h"

#include <math.h>
#include <stdlib.h>

/* What a kind of strip shows. */
typedef struct subject {
    layer_figure figure;
    const char *name; /* in titles */
    strip_tone tone;
    bool log, percent;
} subject;

static const subject darkness = {LAYER_DEAD, "dead units", TONE_DARKNESS, false, true};
static const subject gradients = {LAYER_GRADIENT_NORM, "gradient norm", TONE_HEAT, true, false};

static int *number_epochs(int n)
{
    int *it = calloc((size_t)n + 1, sizeof *it);
    for (int i = 0; it && i < n; i++)
        it[i] = i + 1;
    return it;
}

/* Values of all rows share one scale: from the smallest to the largest above zero. */
static void choose_scale(const drawn *d, const subject *what, strip *out)
{
    out->low = HUGE_VAL;
    out->high = -HUGE_VAL;
    for (int i = 0; i < d->n; i++) {
        const row_view *row = d->rows[i];
        for (int k = 0; k < row->n_layers * row->n_epochs; k++) {
            double value = row->figures[what->figure][k];
            range_take(&out->low, &out->high, &value, value > 0);
        }
    }
    if (what->percent || out->low > out->high) {
        out->low = 0;
        out->high = 1;
    }
    out->log = what->log && out->low > 0;
    out->low = fmax(out->low, out->log ? out->high * 1e-6 : 0);
}

static void put_strip(FILE *to, const row_view *row, const subject *what, const strip *scale)
{
    char title[256];
    strip it = *scale;
    int *epochs = number_epochs(row->n_epochs);
    if (!epochs)
        return;
    snprintf(title, sizeof title, "%.150s: %s by layer and epoch", row->label, what->name);
    it.to = to;
    it.title = title;
    it.description = "A line for each layer, a column for each epoch; the last epoch stands in the "
                     "table below.";
    it.rows = row->layers;
    it.n_rows = row->n_layers;
    it.n_columns = row->n_epochs;
    it.values = row->figures[what->figure];
    it.columns = epochs;
    it.tone = what->tone;
    it.percent = what->percent;
    page_figure(to, row->label, row_class(row));
    draw_strip(&it);
    page_figure_end(to);
    free(epochs);
}

static bool measured(const drawn *d, layer_figure which)
{
    for (int i = 0; i < d->n; i++)
        for (int k = 0; k < d->rows[i]->n_layers * d->rows[i]->n_epochs; k++)
            if (isfinite(d->rows[i]->figures[which][k]))
                return true;
    return false;
}

static void put_strips(FILE *to, const drawn *d, const subject *what)
{
    strip scale = {0};
    choose_scale(d, what, &scale);
    page_grid_begin(to, GRID_SMALL);
    for (int i = 0; i < d->n; i++)
        if (d->rows[i]->n_layers)
            put_strip(to, d->rows[i], what, &scale);
    page_grid_end(to);
}

/* ---- Histograms ------------------------------------------------------------------------------ */

static void put_histograms_of(FILE *to, const row_view *row)
{
    char title[256];
    lane *lanes = calloc((size_t)row->n_layers, sizeof *lanes);
    if (!lanes)
        return;
    for (int l = 0; l < row->n_layers; l++) {
        const layer_histogram *h = &row->histograms[l];
        lanes[l] =
            (lane){.name = row->layers[l], .low = h->low, .high = h->high, .bins = HISTOGRAM_BINS};
        for (int m = 0; m < MOMENTS; m++)
            lanes[l].shares[m] = h->has[m] ? h->shares[m] : NULL;
    }
    snprintf(title, sizeof title, "%.150s: distribution of outputs by layer", row->label);
    page_figure(to, row->label, row_class(row));
    draw_lanes(to, title, "Outputs after the first, the middle and the last epoch.", lanes,
               row->n_layers);
    page_figure_end(to);
    free(lanes);
}

static bool has_histograms(const row_view *row)
{
    for (int l = 0; l < row->n_layers; l++)
        for (int m = 0; m < MOMENTS_OF_A_RUN; m++)
            if (row->histograms[l].has[m])
                return true;
    return false;
}

static void put_histograms(FILE *to, const drawn *d)
{
    bool any = false;
    for (int i = 0; i < d->n; i++)
        any = any || has_histograms(d->rows[i]);
    if (!any)
        return;
    page_heading(to, "What the activations put out",
                 "Distribution of each layer's outputs, all seeds together; heights are square "
                 "roots, so that rare outputs stay visible.");
    fputs("<ul class=\"legend\"><li><svg class=\"key\" viewBox=\"0 0 22 10\"><path class=\"moment "
          "moment0\" d=\"M0 5H22\"/></svg>first epoch<li><svg class=\"key\" viewBox=\"0 0 22 "
          "10\"><path class=\"moment moment1\" d=\"M0 5H22\"/></svg>middle<li><svg class=\"key\" "
          "viewBox=\"0 0 22 10\"><path class=\"moment moment2\" d=\"M0 1H22V9H0z\"/></svg>last "
          "epoch</ul>\n",
          to);
    page_grid_begin(to, GRID_SMALL);
    for (int i = 0; i < d->n; i++)
        if (has_histograms(d->rows[i]))
            put_histograms_of(to, d->rows[i]);
    page_grid_end(to);
}

/* ---- Numbers --------------------------------------------------------------------------------- */

static void put_numbers_of(FILE *to, const row_view *row)
{
    for (int l = 0; l < row->n_layers; l++) {
        page_row(to);
        page_text_cell(to, row->label);
        page_text_cell(to, row->layers[l]);
        for (int k = 0; k < LAYER_FIGURES; k++) {
            double value = row->figures[k][(l + 1) * row->n_epochs - 1];
            bool share = k <= LAYER_SATURATED;
            page_numbers(to, share ? 2 : 5, share ? 100 * value : value);
        }
        putc('\n', to);
    }
}

static void put_numbers(FILE *to, const panel *p)
{
    static const page_column columns[] = {
        {"row", ""},
        {"layer", ""},
        {"dead %", "number"},
        {"gradient-dead %", "number"},
        {"dormant %", "number"},
        {"saturated %", "number"},
        {"mean", "number"},
        {"variance", "number"},
        {"gradient norm", "number"},
        {"update ratio", "number"},
    };
    page_details(to, "Every layer at the last epoch, in numbers");
    page_table(to, "Means over seeds", "", columns, sizeof columns / sizeof *columns);
    for (int i = 0; i < p->n_rows; i++)
        if (p->rows[i].n_epochs)
            put_numbers_of(to, &p->rows[i]);
    page_table_end(to);
    page_details_end(to);
}

void part_layers(FILE *to, const panel *p, const drawn *d)
{
    if (measured(d, LAYER_DEAD)) {
        page_heading(to, "Units going dark",
                     "Share of units that are dead, in percent: no output above zero on any input "
                     "that was looked at. A line for each layer, a column for each epoch, means "
                     "over seeds; lit cells work, dark cells are lost.");
        put_strips(to, d, &darkness);
    }
    if (measured(d, LAYER_GRADIENT_NORM)) {
        page_heading(to, "Gradients by depth",
                     "Norm of the gradient of each layer's weight at the end of the epoch, on one "
                     "logarithmic scale for all rows: strong colour, large gradient.");
        put_strips(to, d, &gradients);
    }
    put_histograms(to, d);
    if (measured(d, LAYER_DEAD))
        put_numbers(to, p);
}
