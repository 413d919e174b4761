/* Layer by layer: dead units, gradients, distributions of outputs. */
#include "compare/report/parts.h"
#include "compare/figures.h"
#include "page/text.h"

#include <math.h>

bool report_is_measured(const drawn *d, size_t offset)
{
    for (int i = 0; i < d->n; i++)
        for (int k = 0; k < d->rows[i]->n_layers * d->rows[i]->n_epochs; k++)
            if (isfinite(report_layer_means(d->rows[i], offset)[k]))
                return true;
    return false;
}

/* ---- Histograms: a lane for each layer, up to three moments over each other ------------------ */

enum { LANE = 34, LANE_WIDTH = 190, PITCH = LANE + 14 };

/* Heights are square roots, else one full bin at zero would flatten the rest. */
static void put_lane(FILE *to, const char *name, const layer_histogram *h, double base)
{
    const double step = (double)LANE_WIDTH / HISTOGRAM_BINS;
    char ends[2][24];
    double most = 0;
    for (int m = 0; m < MOMENTS_OF_A_RUN; m++)
        for (int i = 0; i < HISTOGRAM_BINS; i++)
            most = fmax(most, h->shares[m][i]);
    page_draw_text(to, "tiny strong", LANE_WIDTH / 2.0, base - LANE + 13, ANCHOR_MIDDLE, name, 16);
    page_draw_straight(to, "axis", 0, base, LANE_WIDTH, base);
    if (!(most > 0))
        return;
    for (int m = MOMENTS_OF_A_RUN - 1; m >= 0; m--) {
        if (!h->has[m])
            continue;
        fprintf(to, "<path class=\"moment moment%d\" d=\"M0 %.1f", m, base);
        for (int i = 0; i < HISTOGRAM_BINS; i++)
            fprintf(to, "V%.1fH%.1f", base - sqrt(h->shares[m][i] / most) * (LANE - 15),
                    step * (i + 1));
        fprintf(to, "V%.1f\"/>", base);
    }
    snprintf(ends[0], sizeof ends[0], "%.2g", h->low);
    snprintf(ends[1], sizeof ends[1], "%.2g", h->high);
    page_draw_text(to, "tiny", 0, base + 10, ANCHOR_START, ends[0], WHOLE_TEXT);
    page_draw_text(to, "tiny", LANE_WIDTH, base + 10, ANCHOR_END, ends[1], WHOLE_TEXT);
    if (h->low < 0 && h->high > 0) {
        double zero = LANE_WIDTH * -h->low / (h->high - h->low);
        page_draw_straight(to, "axis", zero, base, zero, base + 4);
        if (zero > 34 && zero < LANE_WIDTH - 34)
            page_draw_text(to, "tiny", zero, base + 12, ANCHOR_MIDDLE, "0", 1);
    }
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
    page_details(to, "Distribution of activations");
    page_paragraph(to, "how after",
                   "Distribution of each layer's outputs, all seeds together; heights are square "
                   "roots, so that rare outputs stay visible.");
    fputs("<ul class=\"legend\"><li><svg class=\"key\" viewBox=\"0 0 22 10\"><path class=\"moment "
          "moment0\" d=\"M0 5H22\"/></svg>first epoch<li><svg class=\"key\" viewBox=\"0 0 22 "
          "10\"><path class=\"moment moment1\" d=\"M0 5H22\"/></svg>middle<li><svg class=\"key\" "
          "viewBox=\"0 0 22 10\"><path class=\"moment moment2\" d=\"M0 1H22V9H0z\"/></svg>last "
          "epoch</ul>\n",
          to);
    page_grid_begin(to, GRID_SMALL);
    for (int i = 0; i < d->n; i++) {
        const row_view *row = d->rows[i];
        char title[256];
        if (!has_histograms(row))
            continue;
        snprintf(title, sizeof title, "%.150s: distribution of outputs by layer", row->label);
        page_draw_begin(to, row->label, report_row_class(row), LANE_WIDTH, row->n_layers * PITCH,
                        title, "Outputs after the first, the middle and the last epoch.");
        for (int l = 0; l < row->n_layers; l++)
            put_lane(to, row->layers[l], &row->histograms[l], l * PITCH + LANE);
        page_draw_end(to);
    }
    page_grid_end(to);
    page_details_end(to);
}

static void put_numbers_of(FILE *to, const row_view *row)
{
    for (int l = 0; l < row->n_layers; l++) {
        page_row(to);
        page_text_cell(to, row->label);
        page_text_cell(to, row->layers[l]);
        for (const figure *f = compare_layer_figures; f->name; f++) {
            const double *means = row->figures[f - compare_layer_figures];
            const bool share = f->form == FIGURE_SHARE;
            if (means)
                page_numbers(to, share ? 2 : 5,
                             (share ? 100 : 1) * means[(l + 1) * row->n_epochs - 1]);
        }
        putc('\n', to);
    }
}

enum { MOST_COLUMNS = 32 };

static void put_numbers(FILE *to, const panel *p)
{
    char labels[MOST_COLUMNS][32];
    page_column columns[MOST_COLUMNS] = {{"row", ""}, {"layer", ""}};
    int n = 2;
    for (const figure *f = compare_layer_figures; f->name; f++)
        if (f->label && n < MOST_COLUMNS) {
            snprintf(labels[n], sizeof labels[n], "%s%s", f->label,
                     f->form == FIGURE_SHARE ? " %" : "");
            columns[n] = (page_column){labels[n], "number"};
            n++;
        }
    page_details(to, "Every layer at the last epoch, in numbers");
    page_table(to, "Means over seeds", "", columns, n);
    for (int i = 0; i < p->n_rows; i++)
        if (p->rows[i].n_epochs)
            put_numbers_of(to, &p->rows[i]);
    page_table_end(to);
    page_details_end(to);
}

void report_part_layers(FILE *to, const panel *p, const drawn *d)
{
    report_part_strips(to, d);
    put_histograms(to, d);
    if (report_is_measured(d, offsetof(layer_record, never_positive)))
        put_numbers(to, p);
}
