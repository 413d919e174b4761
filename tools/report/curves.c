/* How rows learn, and what that costs. */
#include "report/parts.h"

#include <math.h>
#include <stdlib.h>

enum { WIDTH = 360, HEIGHT = 240 };

typedef enum subject { ACCURACY, LOSS, SUBJECTS } subject;

static const course *course_of(const row_view *row, subject what)
{
    return what == ACCURACY ? &row->accuracy : &row->loss;
}

/* Losses span powers of ten where something diverged or something learned very well. */
static void choose_heights(chart *c, const drawn *d, subject what)
{
    c->y_low = HUGE_VAL;
    c->y_high = -HUGE_VAL;
    for (int i = 0; i < d->n; i++) {
        const course *it = course_of(d->rows[i], what);
        range_take(&c->y_low, &c->y_high, it->low, d->rows[i]->n_epochs);
        range_take(&c->y_low, &c->y_high, it->high, d->rows[i]->n_epochs);
    }
    c->y_log = what == LOSS && c->y_low > 0 && c->y_high > 20 * c->y_low;
    range_air(&c->y_low, &c->y_high, c->y_log);
}

static int longest(const drawn *d)
{
    int n = 0;
    for (int i = 0; i < d->n; i++)
        n = d->rows[i]->n_epochs > n ? d->rows[i]->n_epochs : n;
    return n;
}

static void put_labels(const chart *c, const drawn *d, subject what)
{
    chart_label labels[SERIES_LABELS];
    int n = 0;
    for (int i = 0; i < d->n && n < SERIES_LABELS; i++) {
        const row_view *row = d->rows[i];
        double last = row->n_epochs ? course_of(row, what)->mean[row->n_epochs - 1] : (double)NAN;
        if (isfinite(last) && row->colour >= 0)
            labels[n++] = (chart_label){row->label, row_class(row), row->n_epochs, last};
    }
    chart_labels(c, labels, n);
}

static void put_courses(FILE *to, const drawn *d, subject what, const double *epochs)
{
    static const char *const titles[] = {"Validation accuracy over epochs",
                                         "Validation loss over epochs"};
    chart c = chart_new(to, WIDTH, HEIGHT);
    c.right = WIDTH - LABELS;
    c.y_percent = what == ACCURACY;
    c.x_low = 1;
    c.x_high = fmax(longest(d), 2);
    choose_heights(&c, d, what);
    page_figure(to, what == ACCURACY ? "Validation accuracy" : "Validation loss", NULL);
    draw_begin(to, WIDTH, HEIGHT, titles[what],
               "A line for each row: mean over seeds; the band spans its seeds. The numbers are in "
               "the table below.");
    chart_axes(&c, "epoch", true);
    for (int i = 0; i < d->n; i++)
        if (d->rows[i]->colour >= 0)
            chart_band(&c, row_class(d->rows[i]), epochs, course_of(d->rows[i], what)->low,
                       course_of(d->rows[i], what)->high, d->rows[i]->n_epochs);
    for (int i = d->n - 1; i >= 0; i--)
        chart_line(&c, row_class(d->rows[i]), epochs, course_of(d->rows[i], what)->mean,
                   d->rows[i]->n_epochs);
    put_labels(&c, d, what);
    draw_end(to);
    page_figure_end(to);
}

/* ---- Cost ------------------------------------------------------------------------------------ */

static const standing *standing_of(const panel *p, const row_view *row)
{
    for (int i = 0; i < p->n_ranked; i++)
        if (&p->rows[p->standings[i].row] == row)
            return &p->standings[i];
    return NULL;
}

static void cost_range(chart *c, const panel *p, const drawn *d)
{
    c->x_low = c->y_low = HUGE_VAL;
    c->x_high = c->y_high = -HUGE_VAL;
    for (int i = 0; i < d->n; i++) {
        const standing *s = standing_of(p, d->rows[i]);
        range_take(&c->x_low, &c->x_high, &d->rows[i]->epoch_seconds, 1);
        if (s)
            range_take(&c->y_low, &c->y_high, &s->score.mean, 1);
    }
    c->x_log = c->x_low > 0 && c->x_high > 8 * c->x_low;
    if (!c->x_log)
        c->x_low = fmin(c->x_low, 0.6 * c->x_high);
    range_air(&c->x_low, &c->x_high, c->x_log);
    range_air(&c->y_low, &c->y_high, false);
}

static void put_costs(FILE *to, const panel *p, const drawn *d)
{
    chart c = chart_new(to, WIDTH, HEIGHT);
    chart_label labels[SERIES_LABELS];
    int n = 0;
    c.right = WIDTH - LABELS;
    c.y_percent = true;
    cost_range(&c, p, d);
    page_figure(to, "Test accuracy against time", NULL);
    draw_begin(to, WIDTH, HEIGHT, "Test accuracy against seconds of training an epoch",
               "A dot for each row, higher is better, further left is faster. The numbers are in "
               "the leaderboard's table.");
    chart_axes(&c, "seconds an epoch", false);
    for (int i = 0; i < d->n; i++) {
        const row_view *row = d->rows[i];
        const standing *s = standing_of(p, row);
        if (!s || !s->score.n || !isfinite(row->epoch_seconds))
            continue;
        chart_dot(&c, row_class(row), row->epoch_seconds, s->score.mean);
        if (row->colour >= 0 && n < SERIES_LABELS)
            labels[n++] =
                (chart_label){row->label, row_class(row), row->epoch_seconds, s->score.mean};
    }
    chart_labels(&c, labels, n);
    draw_end(to);
    page_figure_end(to);
}

/* ---- Numbers --------------------------------------------------------------------------------- */

static void put_numbers(FILE *to, const panel *p)
{
    static const page_column columns[] = {
        {"row", ""},
        {"epoch", "number"},
        {"validation accuracy", "number"},
        {"lowest", "number"},
        {"highest", "number"},
        {"validation loss", "number"},
        {"training loss", "number"},
        {"gap", "number"},
    };
    page_details(to, "Numbers of these curves");
    page_table(to, "Means over seeds; of long runs about 20 epochs", "", columns,
               sizeof columns / sizeof *columns);
    for (int i = 0; i < p->n_rows; i++) {
        const row_view *row = &p->rows[i];
        int every = (row->n_epochs + 19) / 20;
        for (int e = 0; e < row->n_epochs; e++) {
            if (e % every && e < row->n_epochs - 1)
                continue;
            page_row(to);
            page_text_cell(to, row->label);
            page_numbers(to, 0, e + 1);
            page_numbers(to, 2, 100 * row->accuracy.mean[e], 100 * row->accuracy.low[e],
                         100 * row->accuracy.high[e]);
            page_numbers(to, 4, row->loss.mean[e], row->train_loss.mean[e], loss_gap(row, e));
        }
    }
    page_table_end(to);
    page_details_end(to);
}

void part_curves(FILE *to, const panel *p, const drawn *d)
{
    int n = longest(d);
    double *epochs = calloc((size_t)n + 1, sizeof *epochs);
    if (!n || !epochs) {
        free(epochs);
        return;
    }
    for (int i = 0; i < n; i++)
        epochs[i] = i + 1;
    page_heading(to, "Learning and cost",
                 "Lines are means over seeds, bands reach from the lowest to the highest seed. The "
                 "test set is used once, at the end.");
    page_grid_begin(to, GRID_WIDE);
    put_courses(to, d, ACCURACY, epochs);
    put_courses(to, d, LOSS, epochs);
    put_costs(to, p, d);
    page_grid_end(to);
    put_numbers(to, p);
    free(epochs);
}
