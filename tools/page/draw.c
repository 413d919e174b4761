/* Coordinates are rounded to a tenth of a pixel: a page holds hundreds of pictures. */
#include "page/draw.h"
#include "page/page.h"
#include "page/text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void page_draw_begin(FILE *to, const char *caption, const char *dot_class, double width,
                     double height, const char *title, const char *description)
{
    fputs("<figure><figcaption>", to);
    if (dot_class)
        page_dot(to, dot_class);
    page_put_html(to, caption, CAPTION_LETTERS);
    fprintf(to, "</figcaption>\n<svg viewBox=\"0 0 %g %g\" role=\"img\"><title>", width, height);
    page_put_html(to, title, WHOLE_TEXT);
    fputs("</title><desc>", to);
    page_put_html(to, description, WHOLE_TEXT);
    fputs("</desc>\n", to);
}

void page_draw_end(FILE *to)
{
    fputs("</svg>\n</figure>\n", to);
}

void page_draw_text(FILE *to, const char *class, double x, double y, anchor at, const char *text,
                    int most)
{
    static const char *const names[] = {"", " text-anchor=\"middle\"", " text-anchor=\"end\""};
    fprintf(to, "<text x=\"%.1f\" y=\"%.1f\"%s", x, y, names[at]);
    fprintf(to, *class ? " class=\"%s\">" : ">", class);
    page_put_html(to, text, most);
    fputs("</text>", to);
}

void page_draw_straight(FILE *to, const char *class, double x1, double y1, double x2, double y2)
{
    fprintf(to, "<path class=\"%s\" d=\"M%.1f %.1fL%.1f %.1f\"/>", class, x1, y1, x2, y2);
}

/* ---- Ranges and places ----------------------------------------------------------------------- */

void page_range_take(range *r, const double *values, int n)
{
    for (int i = 0; i < n; i++)
        if (isfinite(values[i])) {
            r->low = fmin(r->low, values[i]);
            r->high = fmax(r->high, values[i]);
        }
}

void page_range_air(range *r)
{
    if (r->low > r->high || (r->log && r->high <= 0)) {
        r->low = r->log ? 0.1 : 0;
        r->high = 1;
    }
    if (r->log) {
        r->low = fmax(r->low, r->high * 1e-12);
        double air = fmax(pow(r->high / r->low, 0.06), 1.1);
        r->low /= air;
        r->high *= air;
        return;
    }
    double air = fmax((r->high - r->low) * 0.06, fmax(fabs(r->high) * 1e-3, 1e-9));
    r->low -= air;
    r->high += air;
}

chart page_chart_new(FILE *to, double width, double height)
{
    return (chart){.to = to,
                   .width = width,
                   .height = height,
                   .left = 44,
                   .right = width - 10,
                   .top = 8,
                   .bottom = height - 34,
                   .x = {HUGE_VAL, -HUGE_VAL, false},
                   .y = {HUGE_VAL, -HUGE_VAL, false},
                   .x_ticks = 6,
                   .y_ticks = 5};
}

static double share_of(const range *r, double value)
{
    if (r->log)
        return log(fmax(value, r->low * 1e-3) / r->low) / log(r->high / r->low);
    return (value - r->low) / (r->high - r->low);
}

double page_chart_x(const chart *c, double x)
{
    return c->left + share_of(&c->x, x) * (c->right - c->left);
}

double page_chart_y(const chart *c, double y)
{
    return c->bottom - share_of(&c->y, y) * (c->bottom - c->top);
}

/* ---- Axes ------------------------------------------------------------------------------------ */

enum { MOST_TICKS = 24 };
typedef struct ticks {
    double at[MOST_TICKS];
    int n, digits; /* behind the point; -1: as short as it gets */
} ticks;

double page_tick_step(double reach, int wanted)
{
    double rough = reach / wanted, unit = pow(10, floor(log10(rough))), lead = rough / unit;
    return unit * (lead < 1.5 ? 1 : lead < 3.5 ? 2 : lead < 7.5 ? 5 : 10);
}

static ticks linear_ticks(double low, double high, int wanted, bool whole)
{
    ticks t = {.n = 0};
    double step = page_tick_step(high - low, wanted);
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

static void put_tick(FILE *to, double x, double y, anchor at, double value, int digits,
                     const char *unit)
{
    char text[64];
    if (digits < 0)
        snprintf(text, sizeof text, "%g%s", value, unit);
    else
        snprintf(text, sizeof text, "%.*f%s", digits, value, unit);
    page_draw_text(to, "", x, y, at, text, WHOLE_TEXT);
}

void page_chart_axes(const chart *c, const char *x_name, bool whole_x)
{
    const double unit = c->y_percent ? 100 : 1, digit = 7, gap = 14; /* pixels */
    ticks t = c->y.log ? log_ticks(c->y.low, c->y.high)
                       : linear_ticks(unit * c->y.low, unit * c->y.high,
                                      c->y_ticks ? c->y_ticks : 1, false);
    for (int i = 0; c->y_ticks && i < t.n; i++) {
        double y = page_chart_y(c, c->y.log ? t.at[i] : t.at[i] / unit);
        page_draw_straight(c->to, "gridline", c->left, y, c->right, y);
        put_tick(c->to, c->left - 6, y + 4, ANCHOR_END, t.at[i], t.digits, c->y_percent ? "%" : "");
    }
    int wanted = c->x_ticks;
    do /* as many as their labels have room for side by side */
        t = c->x.log ? log_ticks(c->x.low, c->x.high)
                     : linear_ticks(c->x.low, c->x.high, wanted, whole_x);
    while (!c->x.log && t.n * (digit * (t.digits + 1) + gap) > c->right - c->left && --wanted > 1);
    for (int i = 0; i < t.n; i++) {
        double x = page_chart_x(c, t.at[i]);
        if (c->x_grid)
            page_draw_straight(c->to, "gridline", x, c->top, x, c->bottom);
        put_tick(c->to, x, c->bottom + 15, ANCHOR_MIDDLE, t.at[i], t.digits, "");
    }
    page_draw_straight(c->to, "axis", c->left, c->bottom, c->right, c->bottom);
    page_draw_text(c->to, "", c->right, c->height - 4, ANCHOR_END, x_name, WHOLE_TEXT);
    putc('\n', c->to);
}

/* ---- Marks ----------------------------------------------------------------------------------- */

void page_chart_line(const chart *c, const char *class, const double *x, const double *y, int n)
{
    bool drawing = false;
    fprintf(c->to, "<path class=\"curve %s\" d=\"", class);
    for (int i = 0; i < n; i++) {
        bool there = isfinite(x[i]) && isfinite(y[i]);
        if (there)
            fprintf(c->to, "%c%.1f %.1f", drawing ? 'L' : 'M', page_chart_x(c, x[i]),
                    page_chart_y(c, y[i]));
        drawing = there;
    }
    fputs("\"/>\n", c->to);
}

void page_chart_bar(const chart *c, const char *class, double x, double low, double high)
{
    if (isfinite(low) && isfinite(high))
        fprintf(c->to, "<path class=\"bar %s\" d=\"M%.1f %.1fV%.1f\"/>", class, page_chart_x(c, x),
                page_chart_y(c, low), page_chart_y(c, high));
}

/* ---- Series ---------------------------------------------------------------------------------- */

enum { LINE = 13, LETTERS = 15, AROUND = 42, MOST_BANDS = 10, MOST_TITLES = 20 };

double page_series_height(double usual, int n)
{
    return fmax(usual, AROUND + LINE * (n < MOST_SERIES ? n : MOST_SERIES));
}

/* An area from low to high for each stretch of finite values. */
static void put_band(const chart *c, const series *s)
{
    for (int i = 0, end; i < s->n; i = end + 1) {
        for (end = i; end < s->n && isfinite(s->low[end]) && isfinite(s->high[end]); end++)
            ;
        if (end - i < 2)
            continue;
        fprintf(c->to, "<path class=\"band %s\" d=\"", s->class);
        for (int k = i; k < end; k++)
            fprintf(c->to, "%c%.1f %.1f", k == i ? 'M' : 'L', page_chart_x(c, s->x[k]),
                    page_chart_y(c, s->high[k]));
        for (int k = end - 1; k >= i; k--)
            fprintf(c->to, "L%.1f %.1f", page_chart_x(c, s->x[k]), page_chart_y(c, s->low[k]));
        fputs("z\"/>", c->to);
    }
}

static int by_height(const void *a, const void *b)
{
    const series *s = *(const series *const *)a, *t = *(const series *const *)b;
    double p = s->y[s->n - 1], q = t->y[t->n - 1];
    return (p < q) - (p > q);
}

/* What does not fit in its usual letters is narrowed up to the half again, then cut. */
static void put_label(const chart *c, double y, const char *label)
{
    enum { NARROWED = 22 };
    const double room = LABELS - 12;
    fprintf(c->to, "<text class=\"label\" x=\"%.1f\" y=\"%.1f\"", c->right + 12, y);
    if (strlen(label) > LETTERS)
        fprintf(c->to, " textLength=\"%.0f\" lengthAdjust=\"spacingAndGlyphs\"", room);
    putc('>', c->to);
    page_put_html(c->to, label, NARROWED);
    fputs("</text>", c->to);
}

/* Names where the series end, moved apart where they would touch: from the top down, each at least
 * a line below the one before; then up again from the bottom. */
static void put_names(const chart *c, const series *all, int n)
{
    const series *named[MOST_SERIES];
    double at[MOST_SERIES];
    int count = 0;
    for (int i = 0; i < n && count < MOST_SERIES; i++)
        if (all[i].label && all[i].n && isfinite(all[i].y[all[i].n - 1]))
            named[count++] = &all[i];
    qsort((void *)named, (size_t)count, sizeof *named, by_height);
    for (int i = 0; i < count; i++)
        at[i] = fmax(page_chart_y(c, named[i]->y[named[i]->n - 1]), i ? at[i - 1] + LINE : c->top);
    for (int i = count - 1; i >= 0; i--)
        at[i] = fmin(at[i], i < count - 1 ? at[i + 1] - LINE : c->bottom);
    for (int i = 0; i < count; i++) {
        const series *s = named[i];
        fprintf(c->to, "<path class=\"leader %s\" d=\"M%.1f %.1fL%.1f %.1f\"/><g class=\"%s\">",
                s->class, page_chart_x(c, s->x[s->n - 1]) + 5, page_chart_y(c, s->y[s->n - 1]),
                c->right + 9, at[i], s->class);
        put_label(c, at[i] + 4, s->label);
        fputs("</g>\n", c->to);
    }
}

/* A disc, square, triangle or diamond, by the class; or nothing that is seen. */
static void put_point(const chart *c, const series *s, int i, bool seen)
{
    static const char *const marks[] = {"m-4 0a4 4 0 1 0 8 0a4 4 0 1 0-8 0z",
                                        "m-3.6-3.6h7.2v7.2h-7.2z", "m0-4.6l4.6 8h-9.2z",
                                        "m0-5l5 5l-5 5l-5-5z"};
    const char *variant = strstr(s->class, " v");
    const double unit = c->y_percent ? 100 : 1;
    fprintf(c->to, "<path class=\"%s %s\" d=\"M%.1f %.1f%s\"><title>", seen ? "point" : "hover",
            s->class, page_chart_x(c, s->x[i]), page_chart_y(c, s->y[i]),
            marks[variant ? variant[2] - '0' : 0]);
    page_put_html(c->to, s->label, CAPTION_LETTERS);
    fprintf(c->to, ", %.4g: %.5g%s", s->x[i], unit * s->y[i], c->y_percent ? " %" : "");
    if (s->low && isfinite(s->low[i]) && isfinite(s->high[i]))
        fprintf(c->to, ", seeds %.5g to %.5g", unit * s->low[i], unit * s->high[i]);
    fputs("</title></path>", c->to);
}

void page_chart_series(const chart *c, const series *all, int n, bool dots)
{
    for (int i = 0; i < n && n <= MOST_BANDS; i++)
        if (all[i].low)
            put_band(c, &all[i]);
    for (int k = n - 1; k >= 0; k--) {
        const series *s = &all[k];
        const int every = (s->n + MOST_TITLES - 1) / MOST_TITLES;
        int last = s->n - 1;
        while (last >= 0 && !(isfinite(s->x[last]) && isfinite(s->y[last])))
            last--;
        if (last > 0)
            page_chart_line(c, s->class, s->x, s->y, s->n);
        for (int i = 0; s->label && i <= last; i++)
            if ((dots || i == last || i % every == 0) && isfinite(s->x[i]) && isfinite(s->y[i]))
                put_point(c, s, i, dots || i == last);
    }
    put_names(c, all, n);
}
