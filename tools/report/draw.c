/* Coordinates are rounded to a tenth of a pixel: a page holds hundreds of pictures. */
#include "report/draw.h"

#include "report/text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void draw_begin(FILE *to, double width, double height, const char *title, const char *description)
{
    fprintf(to, "<svg viewBox=\"0 0 %g %g\" role=\"img\"><title>", width, height);
    put_html(to, title, WHOLE_TEXT);
    fputs("</title><desc>", to);
    put_html(to, description, WHOLE_TEXT);
    fputs("</desc>\n", to);
}

void draw_end(FILE *to)
{
    fputs("</svg>\n", to);
}

static void open_text(FILE *to, const char *class, double x, double y, anchor at)
{
    static const char *const names[] = {"", " text-anchor=\"middle\"", " text-anchor=\"end\""};
    fprintf(to, "<text x=\"%.1f\" y=\"%.1f\"%s", x, y, names[at]);
    fprintf(to, *class ? " class=\"%s\">" : ">", class);
}

void draw_text(FILE *to, const char *class, double x, double y, anchor at, const char *text,
               int most)
{
    open_text(to, class, x, y, at);
    put_html(to, text, most);
    fputs("</text>", to);
}

static void put_straight(FILE *to, const char *class, double x1, double y1, double x2, double y2)
{
    fprintf(to, "<path class=\"%s\" d=\"M%.1f %.1fL%.1f %.1f\"/>", class, x1, y1, x2, y2);
}

/* ---- Ranges and places ----------------------------------------------------------------------- */

void range_take(double *low, double *high, const double *values, int n)
{
    for (int i = 0; i < n; i++)
        if (isfinite(values[i])) {
            *low = fmin(*low, values[i]);
            *high = fmax(*high, values[i]);
        }
}

void range_air(double *low, double *high, bool is_log)
{
    if (*low > *high || (is_log && *high <= 0)) {
        *low = is_log ? 0.1 : 0;
        *high = 1;
    }
    if (is_log) {
        *low = fmax(*low, *high * 1e-12);
        double air = fmax(pow(*high / *low, 0.06), 1.1);
        *low /= air;
        *high *= air;
        return;
    }
    double air = fmax((*high - *low) * 0.06, fmax(fabs(*high) * 1e-3, 1e-9));
    *low -= air;
    *high += air;
}

chart chart_new(FILE *to, double width, double height)
{
    return (chart){.to = to,
                   .width = width,
                   .height = height,
                   .left = 44,
                   .right = width - 10,
                   .top = 8,
                   .bottom = height - 34};
}

static double share_of(double value, double low, double high, bool is_log)
{
    if (is_log)
        return log(fmax(value, low * 1e-3) / low) / log(high / low);
    return (value - low) / (high - low);
}

double chart_x(const chart *c, double x)
{
    return c->left + share_of(x, c->x_low, c->x_high, c->x_log) * (c->right - c->left);
}

double chart_y(const chart *c, double y)
{
    return c->bottom - share_of(y, c->y_low, c->y_high, c->y_log) * (c->bottom - c->top);
}

/* ---- Axes ------------------------------------------------------------------------------------ */

enum { MOST_TICKS = 12 };
typedef struct ticks {
    double at[MOST_TICKS];
    int n, digits; /* behind the point; -1: as short as it gets */
} ticks;

static ticks linear_ticks(double low, double high, int wanted, bool whole)
{
    ticks t = {.n = 0};
    double rough = (high - low) / wanted, unit = pow(10, floor(log10(rough))), lead = rough / unit;
    double step = unit * (lead < 1.5 ? 1 : lead < 3.5 ? 2 : lead < 7.5 ? 5 : 10);
    if (whole)
        step = fmax(step, 1);
    t.digits = step < 1 ? (int)ceil(-log10(step) - 1e-9) : 0;
    if (step >= 1e5 || step < 1e-5)
        t.digits = -1;
    for (double i = ceil(low / step - 1e-9); i * step <= high + step * 1e-9 && t.n < MOST_TICKS;
         i++)
        t.at[t.n++] = i * step + 0.0;
    return t;
}

/* Powers of ten; 2 and 5 times them where there is room, every other one where there is none. */
static ticks log_ticks(double low, double high)
{
    static const double leads[] = {1, 2, 5};
    ticks t = {.digits = -1};
    double decades = log10(high / low), every = fmax(1, ceil(decades / 6));
    for (double i = floor(log10(low)); i <= ceil(log10(high)); i++)
        for (int k = 0; k < (decades < 2.2 ? 3 : 1); k++) {
            double value = leads[k] * pow(10, i);
            if (value >= low && value <= high && fmod(i, every) == 0 && t.n < MOST_TICKS)
                t.at[t.n++] = value;
        }
    return t;
}

static void put_tick(FILE *to, double value, int digits, const char *unit)
{
    if (digits < 0)
        fprintf(to, "%g%s</text>", value, unit);
    else
        fprintf(to, "%.*f%s</text>", digits, value, unit);
}

/* As many as their labels have room for side by side. */
static ticks x_ticks(const chart *c, bool whole)
{
    const double digit = 7, gap = 14; /* pixels */
    int wanted = 6;
    ticks t;
    do
        t = linear_ticks(c->x_low, c->x_high, wanted, whole);
    while (t.n * (digit * (t.digits + 1) + gap) > c->right - c->left && --wanted > 1);
    return t;
}

static void x_axis(const chart *c, const char *name, bool whole)
{
    ticks t = c->x_log ? log_ticks(c->x_low, c->x_high) : x_ticks(c, whole);
    for (int i = 0; i < t.n; i++) {
        open_text(c->to, "", chart_x(c, t.at[i]), c->bottom + 15, ANCHOR_MIDDLE);
        put_tick(c->to, t.at[i], t.digits, "");
    }
    put_straight(c->to, "axis", c->left, c->bottom, c->right, c->bottom);
    draw_text(c->to, "", c->right, c->height - 4, ANCHOR_END, name, WHOLE_TEXT);
}

static void y_axis(const chart *c)
{
    double unit = c->y_percent ? 100 : 1;
    ticks t = c->y_log ? log_ticks(c->y_low, c->y_high)
                       : linear_ticks(unit * c->y_low, unit * c->y_high, 5, false);
    for (int i = 0; i < t.n; i++) {
        double y = chart_y(c, c->y_log ? t.at[i] : t.at[i] / unit);
        put_straight(c->to, "gridline", c->left, y, c->right, y);
        open_text(c->to, "", c->left - 6, y + 4, ANCHOR_END);
        put_tick(c->to, t.at[i], t.digits, c->y_percent ? "%" : "");
    }
}

void chart_axes(const chart *c, const char *x_name, bool whole_x)
{
    y_axis(c);
    x_axis(c, x_name, whole_x);
    putc('\n', c->to);
}

/* ---- Marks ----------------------------------------------------------------------------------- */

void chart_dot(const chart *c, const char *class, double x, double y)
{
    if (isfinite(x) && isfinite(y))
        fprintf(c->to, "<circle class=\"point %s\" cx=\"%.1f\" cy=\"%.1f\" r=\"4\"/>", class,
                chart_x(c, x), chart_y(c, y));
}

void chart_line(const chart *c, const char *class, const double *x, const double *y, int n)
{
    bool drawing = false;
    int last = -1, drawn = 0;
    fprintf(c->to, "<path class=\"curve %s\" d=\"", class);
    for (int i = 0; i < n; i++) {
        bool there = isfinite(x[i]) && isfinite(y[i]);
        if (there)
            fprintf(c->to, "%c%.1f %.1f", drawing ? 'L' : 'M', chart_x(c, x[i]), chart_y(c, y[i]));
        last = there ? i : last;
        drawn += there;
        drawing = there;
    }
    fputs("\"/>", c->to);
    if (drawn == 1)
        chart_dot(c, class, x[last], y[last]);
    putc('\n', c->to);
}

void chart_band(const chart *c, const char *class, const double *x, const double *low,
                const double *high, int n)
{
    for (int i = 0, end; i < n; i = end + 1) {
        for (end = i; end < n && isfinite(low[end]) && isfinite(high[end]); end++)
            ;
        if (end - i < 2)
            continue;
        fprintf(c->to, "<path class=\"band %s\" d=\"", class);
        for (int k = i; k < end; k++)
            fprintf(c->to, "%c%.1f %.1f", k == i ? 'M' : 'L', chart_x(c, x[k]),
                    chart_y(c, high[k]));
        for (int k = end - 1; k >= i; k--)
            fprintf(c->to, "L%.1f %.1f", chart_x(c, x[k]), chart_y(c, low[k]));
        fputs("z\"/>", c->to);
    }
}

void chart_bar(const chart *c, const char *class, double x, double low, double high)
{
    if (isfinite(low) && isfinite(high))
        fprintf(c->to, "<path class=\"bar %s\" d=\"M%.1f %.1fV%.1f\"/>", class, chart_x(c, x),
                chart_y(c, low), chart_y(c, high));
}

static int by_height(const void *a, const void *b)
{
    double p = ((const chart_label *)a)->y, q = ((const chart_label *)b)->y;
    return (p < q) - (p > q);
}

/* From the top down, each at least a line below the one before; then up again from the bottom. */
void chart_labels(const chart *c, chart_label *labels, int n)
{
    enum { LINE = 13, LETTERS = 15 };
    double at[SERIES_LABELS];
    n = n < SERIES_LABELS ? n : SERIES_LABELS;
    qsort(labels, (size_t)n, sizeof *labels, by_height);
    for (int i = 0; i < n; i++)
        at[i] = fmax(chart_y(c, labels[i].y), i ? at[i - 1] + LINE : c->top);
    for (int i = n - 1; i >= 0; i--)
        at[i] = fmin(at[i], i < n - 1 ? at[i + 1] - LINE : c->bottom);
    for (int i = 0; i < n; i++) {
        fprintf(c->to, "<path class=\"leader %s\" d=\"M%.1f %.1fL%.1f %.1f\"/><g class=\"%s\">",
                labels[i].class, chart_x(c, labels[i].x) + 5, chart_y(c, labels[i].y), c->right + 9,
                at[i], labels[i].class);
        draw_text(c->to, "label", c->right + 12, at[i] + 4, ANCHOR_START, labels[i].text, LETTERS);
        fputs("</g>\n", c->to);
    }
}

/* ---- Strips ---------------------------------------------------------------------------------- */

enum { STRIP_WIDTH = 190, MOST_COLUMNS = 40, LEVELS = 32, NAME_LETTERS = 10 };

typedef struct cells {
    const strip *of;
    int shown;                /* columns */
    int column[MOST_COLUMNS]; /* of the strip's */
    double left, cell, height;
} cells;

static cells lay_out(const strip *of)
{
    cells c = {.of = of};
    size_t longest = 3;
    for (int i = 0; i < of->n_rows; i++)
        longest = strlen(of->rows[i]) > longest ? strlen(of->rows[i]) : longest;
    c.shown = of->n_columns < MOST_COLUMNS ? of->n_columns : MOST_COLUMNS;
    for (int i = 0; i < c.shown; i++)
        c.column[i] = c.shown > 1 ? (int)((long)i * (of->n_columns - 1) / (c.shown - 1)) : 0;
    c.left = 6.0 * (longest < NAME_LETTERS ? (double)longest : NAME_LETTERS) + 6;
    c.cell = (STRIP_WIDTH - c.left) / (c.shown > 3 ? c.shown : 3);
    c.height = of->n_rows <= 8 ? 20 : of->n_rows <= 14 ? 15 : 11;
    return c;
}

/* 0 to LEVELS - 1; -1: no value. */
static int level(const strip *s, double value)
{
    if (!isfinite(value))
        return -1;
    if (s->log && value <= 0)
        return 0;
    double share = s->high > s->low ? share_of(value, s->low, s->high, s->log) : 0;
    return (int)lround(fmin(fmax(share, 0), 1) * (LEVELS - 1));
}

static double cell_value(const cells *c, int row, int shown)
{
    return c->of->values[(size_t)row * (size_t)c->of->n_columns + (size_t)c->column[shown]];
}

/* In about four letters: 3.4 and 57 (percent), 0.13, 4.2, 310, 2e-05. */
static void put_value(const strip *s, double value)
{
    double size = fabs(value);
    if (s->percent)
        fprintf(s->to, "%.*f", value > 0 && value < 0.095, 100 * value);
    else if (size != 0 && (size < 0.005 || size >= 9999.5))
        fprintf(s->to, "%.0e", value);
    else
        fprintf(s->to, "%.*f", size < 0.95 ? 2 : size < 9.95 ? 1 : 0, value);
}

/* All cells of one level as one path; neighbours are one rectangle. */
static void put_level(const cells *c, int wanted)
{
    static const char *const classes[] = {"night", "heat"};
    const strip *s = c->of;
    bool begun = false;
    for (int row = 0; row < s->n_rows; row++)
        for (int i = 0, end; i < c->shown; i = end) {
            int at = level(s, cell_value(c, row, i));
            for (end = i + 1; end < c->shown && level(s, cell_value(c, row, end)) == at; end++)
                ;
            if (at != wanted)
                continue;
            if (!begun && at >= 0)
                fprintf(s->to, "<path class=\"%s\" fill-opacity=\"%.2f\" d=\"", classes[s->tone],
                        (double)at / (LEVELS - 1));
            else if (!begun)
                fputs("<path class=\"hatch\" d=\"", s->to);
            begun = true;
            fprintf(s->to, "M%.1f %gh%.1fv%gH%.1fz", c->left + i * c->cell, row * c->height,
                    (end - i) * c->cell, c->height - 1, c->left + i * c->cell);
        }
    if (begun)
        fputs("\"/>\n", s->to);
}

static void put_cell_text(const cells *c, int row, int column, double value)
{
    int at = level(c->of, value);
    if (c->cell < 24 || c->height < 15 || at < 0)
        return;
    bool strong = at >= (c->of->tone == TONE_DARKNESS ? LEVELS / 2 : LEVELS * 7 / 10);
    open_text(c->of->to,
              c->of->tone == TONE_DARKNESS ? strong ? "on-night" : "on-glow"
              : strong                     ? "on-heat"
                                           : "on-pale",
              c->left + (column + 0.5) * c->cell, (row + 0.5) * c->height + 3, ANCHOR_MIDDLE);
    put_value(c->of, value);
    fputs("</text>", c->of->to);
}

static void put_strip_row(const cells *c, int row)
{
    draw_text(c->of->to, "tiny", c->left - 5, (row + 0.5) * c->height + 3, ANCHOR_END,
              c->of->rows[row], NAME_LETTERS - 1);
    for (int i = 0; i < c->shown; i++)
        put_cell_text(c, row, i, cell_value(c, row, i));
    putc('\n', c->of->to);
}

static void put_strip_numbers(const cells *c)
{
    int every = (int)ceil(22 / c->cell), count = c->shown;
    for (int i = 0; i < count; i++)
        if (i == count - 1 || (i % every == 0 && (count - 1 - i) * c->cell >= 20)) {
            open_text(c->of->to, "tiny", c->left + (i + 0.5) * c->cell,
                      c->of->n_rows * c->height + 11, ANCHOR_MIDDLE);
            fprintf(c->of->to, "%d</text>", c->of->columns[c->column[i]]);
        }
}

void draw_strip(const strip *it)
{
    FILE *to = it->to;
    cells c = lay_out(it);
    draw_begin(to, STRIP_WIDTH, it->n_rows * c.height + 15, it->title, it->description);
    for (int i = 0; i < it->n_rows; i++)
        fprintf(to, "<rect class=\"%s\" x=\"%.1f\" y=\"%g\" width=\"%.1f\" height=\"%g\"/>",
                it->tone == TONE_DARKNESS ? "glow" : "pale", c.left, i * c.height, c.shown * c.cell,
                c.height - 1);
    put_level(&c, -1);
    for (int i = 1; i < LEVELS; i++) /* 0 is the background */
        put_level(&c, i);
    for (int i = 0; i < it->n_rows; i++)
        put_strip_row(&c, i);
    put_strip_numbers(&c);
    draw_end(to);
}

/* ---- Histograms ------------------------------------------------------------------------------ */

enum { LANE = 34, LANE_WIDTH = 190 };

static double tallest(const lane *l)
{
    double most = 0;
    for (int m = 0; m < MOMENTS; m++)
        for (int i = 0; l->shares[m] && i < l->bins; i++)
            most = fmax(most, l->shares[m][i]);
    return most;
}

/* Heights are square roots, else one full bin at zero would flatten the rest. */
static void put_moment(FILE *to, const lane *l, int moment, double base, double most)
{
    double step = (double)LANE_WIDTH / l->bins;
    if (!l->shares[moment])
        return;
    fprintf(to, "<path class=\"moment moment%d\" d=\"M0 %.1f", moment, base);
    for (int i = 0; i < l->bins; i++)
        fprintf(to, "V%.1fH%.1f", base - sqrt(l->shares[moment][i] / most) * (LANE - 15),
                step * (i + 1));
    fprintf(to, "V%.1f\"/>", base);
}

static void put_lane(FILE *to, const lane *l, double base)
{
    char ends[2][24];
    double most = tallest(l);
    draw_text(to, "tiny strong", LANE_WIDTH / 2.0, base - LANE + 13, ANCHOR_MIDDLE, l->name, 16);
    put_straight(to, "axis", 0, base, LANE_WIDTH, base);
    if (!(most > 0))
        return;
    for (int m = MOMENTS - 1; m >= 0; m--)
        put_moment(to, l, m, base, most);
    snprintf(ends[0], sizeof ends[0], "%.2g", l->low);
    snprintf(ends[1], sizeof ends[1], "%.2g", l->high);
    draw_text(to, "tiny", 0, base + 10, ANCHOR_START, ends[0], WHOLE_TEXT);
    draw_text(to, "tiny", LANE_WIDTH, base + 10, ANCHOR_END, ends[1], WHOLE_TEXT);
    if (l->low < 0 && l->high > 0) {
        double zero = LANE_WIDTH * -l->low / (l->high - l->low);
        put_straight(to, "axis", zero, base, zero, base + 4);
        if (zero > 34 && zero < LANE_WIDTH - 34)
            draw_text(to, "tiny", zero, base + 12, ANCHOR_MIDDLE, "0", 1);
    }
}

void draw_lanes(FILE *to, const char *title, const char *description, const lane *lanes, int n)
{
    enum { PITCH = LANE + 14 };
    draw_begin(to, LANE_WIDTH, n * PITCH, title, description);
    for (int i = 0; i < n; i++)
        put_lane(to, &lanes[i], i * PITCH + LANE);
    draw_end(to);
}

/* ---- Functions ------------------------------------------------------------------------------- */

/* What lies beyond +-6, as near a pole, is cut off instead of flattening the rest. */
static void function_range(chart *c, const double *y, const double *slope, int n)
{
    c->y_low = 0;
    c->y_high = 1;
    for (int i = 0; i < n; i++) {
        range_take(&c->y_low, &c->y_high, &y[i], fabs(y[i]) <= 6);
        range_take(&c->y_low, &c->y_high, &slope[i], fabs(slope[i]) <= 6);
    }
    range_air(&c->y_low, &c->y_high, false);
}

static void put_function(const chart *c, const char *class, const double *x, const double *y, int n)
{
    bool drawing = false;
    fprintf(c->to, "<path class=\"%s\" d=\"", class);
    for (int i = 0; i < n; i++) {
        bool there = isfinite(y[i]) && y[i] >= c->y_low && y[i] <= c->y_high;
        bool leaps = there && drawing && fabs(y[i] - y[i - 1]) > 0.3 * (c->y_high - c->y_low);
        if (there)
            fprintf(c->to, "%c%.1f %.1f", drawing && !leaps ? 'L' : 'M', chart_x(c, x[i]),
                    chart_y(c, y[i]));
        drawing = there;
    }
    fputs("\"/>", c->to);
}

void draw_curve(FILE *to, const char *title, const double *x, const double *y, const double *slope,
                int n)
{
    chart c = chart_new(to, 190, 150);
    c.left = 24;
    c.right = 186;
    c.top = 6;
    c.bottom = 132;
    c.x_low = x[0];
    c.x_high = x[n - 1];
    function_range(&c, y, slope, n);
    draw_begin(to, c.width, c.height, title, "Solid: value. Dashed: slope.");
    chart_axes(&c, "", true);
    put_straight(to, "axis", chart_x(&c, 0), c.top, chart_x(&c, 0), c.bottom);
    put_function(&c, "slope", x, slope, n);
    put_function(&c, "value", x, y, n);
    draw_end(to);
}
