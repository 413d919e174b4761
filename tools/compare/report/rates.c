/* Learning rate against dead units, where the comparison varied the rate: as an axis of optimizers,
 * or by tuning. */
#include "compare/figures.h"
#include "compare/report/parts.h"
#include "compare/rate.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { WIDTH = 360, HEIGHT = 240, MOST_LINES = 24 }; /* that are drawn; the table has all */

typedef struct point {
    int line;
    double rate, dead, score; /* score: on the validation set, at the last epoch */
    int n;                    /* runs it is the mean of */
} point;

/* Rows that differ in nothing but the rate. */
typedef struct line {
    const row_view *row; /* the first of them */
    const char *class;
    char optimizer[128]; /* without the rate */
    char label[256];
    const point *points; /* by rate */
    int n;
} line;

typedef struct rates {
    line *lines;   /* [rows of the panel] */
    point *points; /* [runs of the panel], by line, then by rate */
    int n_lines, n_points;
    range range; /* of the rates */
} rates;

static void add_run(rates *r, int of, const row_view *row, const run_record *run, size_t offset)
{
    double rate = run->rate, dead = report_run_mean(run, offset);
    if (!isfinite(rate))
        rate = isfinite(row->record->rate) ? row->record->rate
                                           : compare_rate_in(row->record->specs[AXIS_OPTIMIZER]);
    if (!(rate > 0) || !isfinite(dead)) /* no epoch: dead is not finite */
        return;
    int at = 0;
    while (at < r->n_points && (r->points[at].line != of || r->points[at].rate != rate))
        at++;
    point *p = &r->points[at];
    if (at == r->n_points)
        r->points[r->n_points++] = (point){.line = of, .rate = rate};
    p->n++;
    p->dead += (dead - p->dead) / p->n;
    p->score += (compare_last_score(run) - p->score) / p->n;
}

static int by_line(const void *a, const void *b)
{
    const point *p = a, *q = b;
    return p->line != q->line ? p->line - q->line : (p->rate > q->rate) - (p->rate < q->rate);
}

/* The line that the row belongs to: its index. */
static int line_of(rates *r, const row_view *row)
{
    char optimizer[sizeof r->lines->optimizer];
    compare_rate_left_out(row->record->specs[AXIS_OPTIMIZER], optimizer, sizeof optimizer);
    for (int i = 0; i < r->n_lines; i++) {
        const row_record *first = r->lines[i].row->record;
        bool same = strcmp(r->lines[i].optimizer, optimizer) == 0 &&
                    strcmp(first->plugin_digests, row->record->plugin_digests) == 0;
        for (int k = AXIS_ACT; k < AXIS_OPTIMIZER && same; k++)
            same = strcmp(first->specs[k], row->record->specs[k]) == 0;
        if (same)
            return i;
    }
    line *l = &r->lines[r->n_lines];
    l->row = row;
    l->class = report_row_class(row);
    memcpy(l->optimizer, optimizer, sizeof optimizer);
    return r->n_lines++;
}

static void collect(rates *r, const panel *p)
{
    bool varies = false;
    for (int i = 0; i < p->n_rows; i++) {
        const row_view *row = &p->rows[i];
        const run_record *tried = row->n_tuning ? row->tuning : row->runs;
        int at = line_of(r, row);
        for (int k = 0; k < (row->n_tuning ? row->n_tuning : row->n_runs); k++)
            add_run(r, at, row, &tried[k], report_dead_column(p).figure);
        if (i == p->baseline)
            r->lines[at].class = report_row_class(row);
        varies = varies || strcmp(r->lines[at].optimizer, r->lines[0].optimizer) != 0;
    }
    for (int i = 0; i < r->n_lines; i++) /* the optimizer where that tells lines apart */
        snprintf(r->lines[i].label, sizeof r->lines[i].label, "%s%s%s", r->lines[i].row->name,
                 varies ? ", " : "", varies ? r->lines[i].optimizer : "");
    qsort(r->points, (size_t)r->n_points, sizeof *r->points, by_line);
    r->range = (range){HUGE_VAL, -HUGE_VAL, true};
    for (int i = r->n_points - 1; i >= 0; i--) {
        line *l = &r->lines[r->points[i].line];
        l->points = &r->points[i];
        l->n++;
        page_range_take(&r->range, &r->points[i].rate, 1);
    }
}

/* x and y have room for all points. */
static void put_chart(FILE *to, const rates *r, bool dead, double *x, double *y)
{
    const double height = page_series_height(HEIGHT, r->n_lines);
    chart c = page_chart_new(to, WIDTH, height);
    series all[MOST_LINES];
    int n = 0;
    c.right = WIDTH - LABELS;
    c.y_percent = true;
    c.x = r->range;
    for (; n < r->n_lines && n < MOST_LINES; n++) {
        const line *l = &r->lines[n];
        for (int k = 0; k < l->n; k++) {
            x[k] = l->points[k].rate;
            y[k] = dead ? l->points[k].dead : l->points[k].score;
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
        to, dead ? "Dead units at the end" : "Validation score at the end", NULL, WIDTH, height,
        dead ? "Dead units against learning rate" : "Validation score against learning rate",
        "A line for each row over learning rates; the numbers are in the table below.");
    page_chart_axes(&c, "learning rate", false);
    page_chart_series(&c, all, n, true);
    page_draw_end(to);
}

static void put_numbers(FILE *to, const rates *r, const char *dead_name)
{
    const page_column columns[] = {{"row", ""},
                                   {"learning rate", "number"},
                                   {"runs", "number"},
                                   {dead_name, "number"},
                                   {"validation score %", "number"}};
    page_details(to, "Numbers of these curves");
    page_table(to, "Means over the runs at each rate", "", columns, 5);
    for (const point *p = r->points; p < r->points + r->n_points; p++) {
        page_row(to);
        page_text_cell(to, r->lines[p->line].label);
        page_numbers(to, 6, p->rate);
        page_numbers(to, 0, p->n);
        page_numbers(to, 2, 100 * p->dead, 100 * p->score);
    }
    page_table_end(to);
    page_details_end(to);
}

void report_part_rates(FILE *to, const panel *p)
{
    size_t runs = 0, rows = (size_t)p->n_rows;
    for (size_t i = 0; i < rows; i++)
        runs += (size_t)(p->rows[i].n_tuning + p->rows[i].n_runs);
    rates r = {.lines = calloc(rows, sizeof *r.lines), .points = calloc(runs, sizeof *r.points)};
    double *x = calloc(runs, 2 * sizeof *x);
    if (r.lines && r.points && x)
        collect(&r, p);
    if (r.range.high > r.range.low) {
        page_heading(
            to, "Learning rate against dead units",
            "A learning rate that is too high can leave units dead for good. Each line is one "
            "row over the rates that were tried.");
        if (r.n_lines > MOST_LINES)
            fprintf(to, "<p>The first %d of %d lines are drawn; the table has all.</p>", MOST_LINES,
                    r.n_lines);
        page_grid_begin(to, GRID_WIDE);
        put_chart(to, &r, true, x, x + runs);
        put_chart(to, &r, false, x, x + runs);
        page_grid_end(to);
        put_numbers(to, &r, report_dead_column(p).name);
    }
    free(x);
    free(r.points);
    free(r.lines);
}
