/* How rows learn, and what that costs. */
#include "compare/report/parts.h"

#include <math.h>
#include <stdlib.h>

enum { WIDTH = 360, HEIGHT = 240 };

static int longest(const drawn *d)
{
    int n = 0;
    for (int i = 0; i < d->n; i++)
        n = d->rows[i]->n_epochs > n ? d->rows[i]->n_epochs : n;
    return n;
}

void report_put_course(FILE *to, const panel *p, const drawn *d, const char *title, bool percent,
                       bool may_be_log, const course *(*what)(const row_view *))
{
    double *epochs = calloc((size_t)longest(d) + 1, sizeof *epochs);
    const double height = page_series_height(HEIGHT, d->n);
    chart c = page_chart_new(to, WIDTH, height);
    series all[MOST_DRAWN];
    char over[96];
    for (int i = 0; epochs && i < longest(d); i++)
        epochs[i] = i + 1;
    c.right = WIDTH - LABELS;
    c.y_percent = percent;
    c.x = (range){1, fmax(longest(d), 2), false};
    for (int i = 0; epochs && i < d->n; i++) {
        const row_view *row = d->rows[i];
        const course *it = what(row);
        all[i] = (series){row->label, report_row_class(row), epochs, it->mean, it->low,
                          it->high,   row->n_epochs};
        page_range_take(&c.y, it->low, row->n_epochs);
        page_range_take(&c.y, it->high, row->n_epochs);
    }
    /* Losses span powers of ten where something diverged or something learned very well. */
    c.y.log = may_be_log && c.y.low > 0 && c.y.high > 20 * c.y.low;
    page_range_air(&c.y);
    snprintf(over, sizeof over, "%s over %s", title, p->is_stream ? "tasks" : "epochs");
    page_draw_begin(
        to, title, NULL, WIDTH, height, over,
        "A line for each row: mean over seeds; the band spans its seeds. The numbers are in "
        "the table below.");
    page_chart_axes(&c, p->is_stream ? "task" : "epoch", true);
    page_chart_series(&c, all, epochs ? d->n : 0, false);
    page_draw_end(to);
    free(epochs);
}

static const course *score_of(const row_view *row)
{
    return &row->score;
}

static const course *loss_of(const row_view *row)
{
    return &row->loss;
}

void report_put_score(FILE *to, const panel *p, const drawn *d)
{
    report_put_course(to, p, d, p->is_stream ? "Online accuracy" : "Validation score", true, false,
                      score_of);
}

void report_put_loss(FILE *to, const panel *p, const drawn *d)
{
    report_put_course(to, p, d, p->is_stream ? "Training loss" : "Validation loss", false, true,
                      loss_of);
}

void report_put_cost(FILE *to, const panel *p, const drawn *d)
{
    const double height = page_series_height(HEIGHT, d->n);
    chart c = page_chart_new(to, WIDTH, height);
    series all[MOST_DRAWN];
    int n = 0;
    c.right = WIDTH - LABELS;
    c.y_percent = true;
    for (int i = 0; i < d->n; i++) {
        const row_view *row = d->rows[i];
        const standing *s = report_standing_of(p, row);
        if (!s || !s->score.n || !isfinite(row->epoch_seconds))
            continue;
        all[n++] = (series){
            row->label, report_row_class(row), &row->epoch_seconds, &s->score.mean, NULL, NULL, 1};
        page_range_take(&c.x, &row->epoch_seconds, 1);
        page_range_take(&c.y, &s->score.mean, 1);
    }
    if (!n)
        return;
    c.x.log = c.x.low > 0 && c.x.high > 8 * c.x.low;
    if (!c.x.log)
        c.x.low = fmin(c.x.low, 0.6 * c.x.high);
    page_range_air(&c.x);
    page_range_air(&c.y);
    page_draw_begin(
        to, p->is_stream ? "Late accuracy against time" : "Test score against time", NULL, WIDTH,
        height, "Score against training seconds per epoch",
        "A dot for each row, higher is better, further left is faster. The numbers are in "
        "the leaderboard's table.");
    page_chart_axes(&c, "seconds per epoch", false);
    page_chart_series(&c, all, n, true);
    page_draw_end(to);
}

/* Of many epochs about 20, and the last. */
static int next_shown(const row_view *row, int e)
{
    const int next = e + (row->n_epochs + 19) / 20, last = row->n_epochs - 1;
    return next < last || e == last ? next : last;
}

/* A row of the table of numbers: which one, and its score. */
static void begin_line(FILE *to, const row_view *row, int e)
{
    page_row(to);
    page_text_cell(to, row->label);
    page_numbers(to, 0, e + 1);
    page_numbers(to, 2, 100 * row->score.mean[e], 100 * row->score.low[e],
                 100 * row->score.high[e]);
}

/* Of a stream: score and loss are those of learning itself. */
static void put_online(FILE *to, const panel *p)
{
    static const page_column columns[] = {
        {"row", ""},          {"task", "number"},    {"online accuracy", "number"},
        {"lowest", "number"}, {"highest", "number"}, {"training loss", "number"},
    };
    page_details(to, "Numbers of these curves");
    page_table(to, "Means over seeds; of long streams about 20 tasks", "", columns,
               sizeof columns / sizeof *columns);
    for (int i = 0; i < p->n_rows; i++) {
        const row_view *row = &p->rows[i];
        for (int e = 0; e < row->n_epochs; e = next_shown(row, e)) {
            begin_line(to, row, e);
            page_numbers(to, 4, row->loss.mean[e]);
        }
    }
    page_table_end(to);
    page_details_end(to);
}

static void put_numbers(FILE *to, const panel *p)
{
    static const page_column columns[] = {
        {"row", ""},
        {"epoch", "number"},
        {"validation score", "number"},
        {"lowest", "number"},
        {"highest", "number"},
        {"training score", "number"},
        {"validation loss", "number"},
        {"training loss", "number"},
        {"gap", "number"},
    };
    page_details(to, "Numbers of these curves");
    page_table(
        to,
        "Means over seeds; of long runs about 20 epochs. Training figures are by the measure of the "
        "validation, without smoothing or dropout, of as many training samples; the gap is "
        "validation less training loss",
        "", columns, sizeof columns / sizeof *columns);
    for (int i = 0; i < p->n_rows; i++) {
        const row_view *row = &p->rows[i];
        for (int e = 0; e < row->n_epochs; e = next_shown(row, e)) {
            begin_line(to, row, e);
            page_numbers(to, 2, 100 * row->training_score.mean[e]);
            page_numbers(to, 4, row->loss.mean[e], row->training_loss.mean[e],
                         report_loss_gap(row, e));
        }
    }
    page_table_end(to);
    page_details_end(to);
}

void report_part_curves(FILE *to, const panel *p, const drawn *d)
{
    if (!longest(d))
        return;
    page_heading(
        to, "Learning and cost",
        p->is_stream
            ? "Lines are means over seeds, bands reach from the lowest to the highest seed. "
              "Online: each image is answered before the net learns from it."
            : "Lines are means over seeds, bands reach from the lowest to the highest seed. "
              "The test set is used once, at the end.");
    page_grid_begin(to, GRID_WIDE);
    report_put_score(to, p, d);
    report_put_loss(to, p, d);
    report_put_cost(to, p, d);
    page_grid_end(to);
    p->is_stream ? put_online(to, p) : put_numbers(to, p);
}
