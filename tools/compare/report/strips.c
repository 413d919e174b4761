/* Strips: a line of cells for each layer, a column for each epoch; a small picture for each row. */
#include "compare/report/parts.h"
#include "page/text.h"

#include <math.h>
#include <string.h>

enum { WIDTH = 190, MOST_COLUMNS = 40, LEVELS = 32, NAME_LETTERS = 10 };

typedef struct strip_kind {
    size_t figure; /* offset of a layer's record */
    const char *title, *how_to_read;
    const char *name;                /* in the titles of pictures */
    const char *pale, *strong;       /* classes: of the lowest and the highest level */
    const char *on_pale, *on_strong; /* of the numbers in cells */
    int strong_from;                 /* level from which the number is on the latter */
    bool share;                      /* a share, in percent; else on a logarithmic scale */
} strip_kind;

static const strip_kind kinds[] = {
    {offsetof(layer_record, dead), "Dead units by layer and epoch",
     "Share of units that are dead, in percent: no gradient reaches their weights. A "
     "line for each layer, a column for each epoch, means over seeds; bright cells are alive, dark "
     "cells dead.",
     "dead units", "glow", "night", "on-glow", "on-night", LEVELS / 2, true},
    {offsetof(layer_record, never_positive), "Units never above 0, by layer and epoch",
     "Share of units without an output above zero on any input examined, in percent: what was "
     "measured of dead units when these runs were made.",
     "units never above 0", "glow", "night", "on-glow", "on-night", LEVELS / 2, true},
    {offsetof(layer_record, gradient_norm), "Gradient norm by layer and epoch",
     "Norm of the gradient of each layer's weight at the end of the epoch, on one logarithmic "
     "scale for all rows: strong colour, large gradient.",
     "gradient norm", "pale", "heat", "on-pale", "on-heat", LEVELS * 7 / 10, false}};

typedef struct strip {
    FILE *to;
    const strip_kind *kind;
    range scale; /* values of level 0 and of the last, for all rows */
    const row_view *row;
    int columns, epochs[MOST_COLUMNS]; /* of each column, from 0 */
    double left, cell, height;         /* pixels */
} strip;

/* Many epochs are thinned out, the last one stays. */
static void choose_layout(strip *s, const row_view *row)
{
    size_t longest = 3;
    s->row = row;
    for (int i = 0; i < row->n_layers; i++)
        longest = strlen(row->layers[i]) > longest ? strlen(row->layers[i]) : longest;
    s->columns = row->n_epochs < MOST_COLUMNS ? row->n_epochs : MOST_COLUMNS;
    for (int i = 0; i < s->columns; i++)
        s->epochs[i] = s->columns > 1 ? (int)((long)i * (row->n_epochs - 1) / (s->columns - 1)) : 0;
    s->left = 6.0 * (longest < NAME_LETTERS ? (double)longest : NAME_LETTERS) + 6;
    s->cell = (WIDTH - s->left) / (s->columns > 3 ? s->columns : 3);
    s->height = row->n_layers <= 8 ? 20 : row->n_layers <= 14 ? 15 : 11;
}

static double value_at(const strip *s, int layer, int column)
{
    return report_layer_means(s->row,
                              s->kind->figure)[layer * s->row->n_epochs + s->epochs[column]];
}

/* 0 to LEVELS - 1; -1: no value. */
static int level_at(const strip *s, int layer, int column)
{
    double value = value_at(s, layer, column), share = 0;
    if (!isfinite(value))
        return -1;
    if (!s->scale.log)
        share = value;
    else if (value > 0 && s->scale.high > s->scale.low)
        share = log(value / s->scale.low) / log(s->scale.high / s->scale.low);
    return (int)lround(fmin(fmax(share, 0), 1) * (LEVELS - 1));
}

/* All cells of one level as one path; neighbours are one rectangle. */
static void put_level(const strip *s, int wanted)
{
    bool begun = false;
    for (int row = 0; row < s->row->n_layers; row++)
        for (int i = 0, end; i < s->columns; i = end) {
            int at = level_at(s, row, i);
            for (end = i + 1; end < s->columns && level_at(s, row, end) == at; end++)
                ;
            if (at != wanted)
                continue;
            if (!begun && at >= 0)
                fprintf(s->to, "<path class=\"%s\" fill-opacity=\"%.2f\" d=\"", s->kind->strong,
                        (double)at / (LEVELS - 1));
            else if (!begun)
                fputs("<path class=\"hatch\" d=\"", s->to);
            begun = true;
            fprintf(s->to, "M%.1f %gh%.1fv%gH%.1fz", s->left + i * s->cell, row * s->height,
                    (end - i) * s->cell, s->height - 1, s->left + i * s->cell);
        }
    if (begun)
        fputs("\"/>\n", s->to);
}

/* In about four letters: 3.4 and 57 (percent), 0.13, 4.2, 310, 2e-05. */
static void put_number(const strip *s, int layer, int column)
{
    char text[32];
    int level = level_at(s, layer, column);
    double value = value_at(s, layer, column), size = fabs(value);
    if (s->cell < 24 || s->height < 15 || level < 0)
        return;
    if (s->kind->share)
        snprintf(text, sizeof text, "%.*f", value > 0 && value < 0.095, 100 * value);
    else if (size != 0 && (size < 0.005 || size >= 9999.5))
        snprintf(text, sizeof text, "%.0e", value);
    else
        snprintf(text, sizeof text, "%.*f", size < 0.95 ? 2 : size < 9.95 ? 1 : 0, value);
    page_draw_text(s->to, level >= s->kind->strong_from ? s->kind->on_strong : s->kind->on_pale,
                   s->left + (column + 0.5) * s->cell, (layer + 0.5) * s->height + 3, ANCHOR_MIDDLE,
                   text, WHOLE_TEXT);
}

/* A line's values where the pointer stands. */
static void put_titles(const strip *s)
{
    const double unit = s->kind->share ? 100 : 1;
    for (int l = 0; l < s->row->n_layers; l++) {
        fprintf(s->to,
                "<rect class=\"hover\" x=\"%.1f\" y=\"%g\" width=\"%.1f\" height=\"%g\"><title>",
                s->left, l * s->height, s->columns * s->cell, s->height - 1);
        page_put_html(s->to, s->row->layers[l], CAPTION_LETTERS);
        for (int i = 0; i < s->columns; i++)
            fprintf(s->to, "%s%.3g", i ? ", " : ": ", unit * value_at(s, l, i));
        fprintf(s->to, "%s</title></rect>", s->kind->share ? " %" : "");
    }
}

/* What the colours stand for, from end to end. */
static void put_scale(const strip *s)
{
    enum { STEPS = 16, STEP = 10 };
    const char *low = "0 %", *high = "100 %";
    char ends[2][32];
    if (!s->kind->share) {
        snprintf(ends[0], sizeof ends[0], "%.2g", s->scale.low);
        snprintf(ends[1], sizeof ends[1], "%.2g", s->scale.high);
        low = ends[0];
        high = ends[1];
    }
    fprintf(
        s->to,
        "<p class=\"how\">%s<svg class=\"scale\" viewBox=\"0 0 %d 11\" role=\"img\"><title>From "
        "%s to %s</title><rect class=\"%s\" width=\"%d\" height=\"11\"/>",
        low, STEPS * STEP, low, high, s->kind->pale, STEPS * STEP);
    for (int i = 0; i < STEPS; i++)
        fprintf(s->to,
                "<rect class=\"%s\" fill-opacity=\"%.2f\" x=\"%d\" width=\"%d\" height=\"11\"/>",
                s->kind->strong, (double)i / (STEPS - 1), i * STEP, STEP);
    fprintf(s->to, "</svg>%s</p>\n", high);
}

static void put_strip(const strip *s)
{
    char text[256];
    int rows = s->row->n_layers, every = (int)ceil(22 / s->cell), last = s->columns - 1;
    snprintf(text, sizeof text, "%.150s: %s by layer and epoch", s->row->label, s->kind->name);
    page_draw_begin(
        s->to, s->row->label, report_row_class(s->row), WIDTH, rows * s->height + 15, text,
        "A line for each layer, a column for each epoch; the last epoch stands in the table "
        "below.");
    for (int i = 0; i < rows; i++)
        fprintf(s->to, "<rect class=\"%s\" x=\"%.1f\" y=\"%g\" width=\"%.1f\" height=\"%g\"/>",
                s->kind->pale, s->left, i * s->height, s->columns * s->cell, s->height - 1);
    put_level(s, -1);
    for (int i = 1; i < LEVELS; i++) /* 0 is the background */
        put_level(s, i);
    for (int i = 0; i < rows; i++) {
        page_draw_text(s->to, "tiny", s->left - 5, (i + 0.5) * s->height + 3, ANCHOR_END,
                       s->row->layers[i], NAME_LETTERS - 1);
        for (int k = 0; k < s->columns; k++)
            put_number(s, i, k);
        putc('\n', s->to);
    }
    for (int i = 0; i <= last; i++) { /* epochs, as many as there is room for */
        if (i != last && (i % every != 0 || (last - i) * s->cell < 20))
            continue;
        snprintf(text, sizeof text, "%d", s->epochs[i] + 1);
        page_draw_text(s->to, "tiny", s->left + (i + 0.5) * s->cell, rows * s->height + 11,
                       ANCHOR_MIDDLE, text, WHOLE_TEXT);
    }
    put_titles(s);
    page_draw_end(s->to);
}

void report_part_strips(FILE *to, const drawn *d)
{
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        strip s = {.to = to, .kind = &kinds[k]};
        const bool is_old = kinds[k].figure == offsetof(layer_record, never_positive);
        if (!report_is_measured(d, kinds[k].figure) ||
            (is_old && report_is_measured(d, kinds[0].figure)))
            continue;
        /* From the smallest to the largest value above zero, but for shares. */
        s.scale = (range){HUGE_VAL, -HUGE_VAL, true};
        for (int i = 0; i < d->n && !s.kind->share; i++) {
            const row_view *row = d->rows[i];
            const double *values = report_layer_means(row, s.kind->figure);
            for (int l = 0; l < row->n_layers * row->n_epochs; l++)
                page_range_take(&s.scale, &values[l], values[l] > 0);
        }
        if (s.scale.low > s.scale.high)
            s.scale = (range){0, 1, false};
        else
            s.scale.low = fmax(s.scale.low, s.scale.high * 1e-6);
        page_heading(to, kinds[k].title, kinds[k].how_to_read);
        put_scale(&s);
        page_grid_begin(to, GRID_SMALL);
        for (int i = 0; i < d->n; i++)
            if (d->rows[i]->n_layers) {
                choose_layout(&s, d->rows[i]);
                put_strip(&s);
            }
        page_grid_end(to);
    }
}
