/* Learning rate against dead units, where the comparison varied the rate: as an axis of optimizers,
 * or by tuning. */
#include "compare/report/parts.h"

#include "compare/rate.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { WIDTH = 360, HEIGHT = 240, MOST_LINES = 16 }; /* that are drawn; the table has all */

typedef struct point {
    double rate, dead, accuracy; /* accuracy: of validation, at the last epoch */
    int n;                       /* runs it is the mean of */
} point;

/* Rows that differ in nothing but the rate. */
typedef struct line {
    const row_view *row; /* the first of them */
    const char *class;
    char optimizer[128]; /* without the rate */
    char label[256];
    point *points;
    int n;
} line;

typedef struct rates {
    line *lines; /* [rows of the panel] */
    int n_lines;
    range range; /* of the rates */
} rates;

static double rate_of(const row_view *row, const run_record *run)
{
    if (isfinite(run->rate))
        return run->rate;
    return isfinite(row->record->rate) ? row->record->rate
                                       : compare_rate_in(row->record->specs[AXIS_OPTIMIZER]);
}

static void add_point(line *l, double rate, const run_record *run)
{
    const epoch_record *last = &run->epochs[run->n_epochs - 1];
    double dead = report_run_share(run, LAYER_DEAD);
    if (!(rate > 0) || !isfinite(dead))
        return;
    int at = 0;
    while (at < l->n && l->points[at].rate != rate)
        at++;
    if (at == l->n) {
        point *more = realloc(l->points, ((size_t)l->n + 1) * sizeof *more);
        if (!more)
            return;
        l->points = more;
        l->points[l->n++] = (point){.rate = rate};
    }
    point *p = &l->points[at];
    p->n++;
    p->dead += (dead - p->dead) / p->n;
    p->accuracy += (last->accuracy - p->accuracy) / p->n;
}

static int by_rate(const void *a, const void *b)
{
    double p = ((const point *)a)->rate, q = ((const point *)b)->rate;
    return (p > q) - (p < q);
}

static bool belongs(const line *l, const row_view *row, const char *optimizer)
{
    bool same = strcmp(l->optimizer, optimizer) == 0;
    for (int k = AXIS_ACT; k < AXIS_OPTIMIZER && same; k++)
        same = strcmp(l->row->record->specs[k], row->record->specs[k]) == 0;
    return same && strcmp(l->row->record->plugin_digests, row->record->plugin_digests) == 0;
}

static line *line_of(rates *r, const row_view *row)
{
    char optimizer[sizeof r->lines->optimizer];
    compare_rate_left_out(row->record->specs[AXIS_OPTIMIZER], optimizer, sizeof optimizer);
    for (int i = 0; i < r->n_lines; i++)
        if (belongs(&r->lines[i], row, optimizer))
            return &r->lines[i];
    line *l = &r->lines[r->n_lines];
    l->row = row;
    l->class = page_series_class(1 + r->n_lines % 10);
    memcpy(l->optimizer, optimizer, sizeof optimizer);
    r->n_lines++;
    return l;
}

/* The row's name, with the optimizer where that tells lines apart. */
static void name_lines(rates *r)
{
    bool varies = false;
    for (int i = 1; i < r->n_lines; i++)
        varies = varies || strcmp(r->lines[i].optimizer, r->lines[0].optimizer) != 0;
    for (int i = 0; i < r->n_lines; i++) {
        line *l = &r->lines[i];
        snprintf(l->label, sizeof l->label, "%s%s%s", l->row->name, varies ? ", " : "",
                 varies ? l->optimizer : "");
    }
}

static void collect(rates *r, const panel *p)
{
    for (int i = 0; i < p->n_rows; i++) {
        const row_view *row = &p->rows[i];
        const int n = row->n_tuning ? row->n_tuning : row->n_runs;
        const run_record *tried = row->n_tuning ? row->tuning : row->runs;
        line *l = line_of(r, row);
        for (int k = 0; k < n; k++)
            if (tried[k].n_epochs)
                add_point(l, rate_of(row, &tried[k]), &tried[k]);
        if (i == p->baseline)
            l->class = page_series_class(0);
    }
    name_lines(r);
    r->range = (range){HUGE_VAL, -HUGE_VAL, true};
    for (int i = 0; i < r->n_lines; i++) {
        if (r->lines[i].n)
            qsort(r->lines[i].points, (size_t)r->lines[i].n, sizeof(point), by_rate);
        for (int k = 0; k < r->lines[i].n; k++)
            page_range_take(&r->range, &r->lines[i].points[k].rate, 1);
    }
}

/* x and y have room for all points. */
static void put_chart(FILE *to, const rates *r, bool dead, double *x, double *y)
{
    chart c = page_chart_new(to, WIDTH, HEIGHT);
    series all[MOST_LINES];
    int n = 0;
    c.right = WIDTH - LABELS;
    c.y_percent = true;
    c.x = r->range;
    for (; n < r->n_lines && n < MOST_LINES; n++) {
        const line *l = &r->lines[n];
        for (int k = 0; k < l->n; k++) {
            x[k] = l->points[k].rate;
            y[k] = dead ? l->points[k].dead : l->points[k].accuracy;
        }
        page_range_take(&c.y, y, l->n);
        all[n] = (series){.label = l->label, .class = l->class, .x = x, .y = y, .n = l->n};
        x += l->n;
        y += l->n;
    }
    c.y.low = dead ? 0 : c.y.low;
    page_range_air(&c.x);
    page_range_air(&c.y);
    c.y.low = dead ? 0 : c.y.low;
    page_draw_begin(
        to, dead ? "Dead units at the end" : "Validation accuracy at the end", NULL, WIDTH, HEIGHT,
        dead ? "Dead units against learning rate" : "Validation accuracy against learning rate",
        "A line for each row over learning rates; the numbers are in the table below.");
    page_chart_axes(&c, "learning rate", false);
    page_chart_series(&c, all, n, true);
    page_draw_end(to);
}

static void put_charts(FILE *to, const rates *r)
{
    size_t points = 0;
    for (int i = 0; i < r->n_lines; i++)
        points += (size_t)r->lines[i].n;
    double *x = calloc(points, 2 * sizeof *x);
    if (!x)
        return;
    page_grid_begin(to, GRID_WIDE);
    put_chart(to, r, true, x, x + points);
    put_chart(to, r, false, x, x + points);
    page_grid_end(to);
    free(x);
}

static void put_numbers(FILE *to, const rates *r)
{
    static const page_column columns[] = {{"row", ""},
                                          {"learning rate", "number"},
                                          {"runs", "number"},
                                          {"dead %", "number"},
                                          {"validation accuracy %", "number"}};
    page_details(to, "Numbers of these curves");
    page_table(to, "Means over the runs at each rate", "", columns, 5);
    for (int i = 0; i < r->n_lines; i++)
        for (int k = 0; k < r->lines[i].n; k++) {
            const point *p = &r->lines[i].points[k];
            page_row(to);
            page_text_cell(to, r->lines[i].label);
            page_numbers(to, 6, p->rate);
            page_numbers(to, 0, p->n);
            page_numbers(to, 2, 100 * p->dead, 100 * p->accuracy);
        }
    page_table_end(to);
    page_details_end(to);
}

static void put_part(FILE *to, const rates *r)
{
    page_heading(to, "Learning rate against dead units",
                 "A step that is too large throws units below zero for good. Each line is one "
                 "row over the rates that were tried.");
    if (r->n_lines > MOST_LINES)
        fprintf(to, "<p>The first %d of %d lines are drawn; the table has all.</p>", MOST_LINES,
                r->n_lines);
    put_charts(to, r);
    put_numbers(to, r);
}

void report_part_rates(FILE *to, const panel *p)
{
    rates r = {.lines = calloc((size_t)p->n_rows, sizeof *r.lines)};
    if (r.lines)
        collect(&r, p);
    if (r.lines && r.range.high > r.range.low)
        put_part(to, &r);
    for (int i = 0; i < r.n_lines; i++)
        free(r.lines[i].points);
    free(r.lines);
}
