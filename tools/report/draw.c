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

void draw_straight(FILE *to, const char *class, double x1, double y1, double x2, double y2)
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
    draw_straight(c->to, "axis", c->left, c->bottom, c->right, c->bottom);
    draw_text(c->to, "", c->right, c->height - 4, ANCHOR_END, name, WHOLE_TEXT);
}

static void y_axis(const chart *c)
{
    double unit = c->y_percent ? 100 : 1;
    ticks t = c->y_log ? log_ticks(c->y_low, c->y_high)
                       : linear_ticks(unit * c->y_low, unit * c->y_high, 5, false);
    for (int i = 0; i < t.n; i++) {
        double y = chart_y(c, c->y_log ? t.at[i] : t.at[i] / unit);
        draw_straight(c->to, "gridline", c->left, y, c->right, y);
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
