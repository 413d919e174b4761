/* hillock curve: an activation and its slope at some points, or drawn, through the kernels that
 * train. */
#include "options.h"
#include "output.h"
#include "page/draft.h"
#include "page/draw.h"
#include "page/text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static int print_points(const options *given)
{
    const int n = given->n_operands - 1;
    float *x = calloc((size_t)n * 3, sizeof *x), *y = x + n, *slope = y + n;
    if (!x)
        return tool_no_memory();
    int status = EXIT_DONE;
    for (int i = 0; i < n && !status; i++) {
        char *end;
        const char *text = given->operands[i + 1];
        x[i] = strtof(text, &end);
        if (end == text || *end)
            status = tool_fail(EXIT_USAGE, "curve: \"%s\", expected a number", text);
    }
    if (!status && hk_curve(given->operands[0], n, x, y, slope) != HK_OK)
        status = tool_failed();
    for (int i = 0; i < n && !status; i++)
        printf("%.9g\t%.9g\t%.9g\n", (double)x[i], (double)y[i], (double)slope[i]);
    free(x);
    return status;
}

/* ---- The drawing, an SVG file that needs nothing else ---------------------------------------- */

enum { SAMPLES = 801, REFINEMENTS = 12 };
enum { WIDTH = 720, HEIGHT = 480, LEFT = 64, RIGHT = 24, TOP = 64, BOTTOM = 44 };

extern const char plugin_plot_style[]; /* plot.css; the build makes it a text */

typedef struct plot {
    const char *spec;
    float x[SAMPLES], curves[2][SAMPLES];
    chart c;
} plot;

static int by_size(const void *a, const void *b)
{
    float p = *(const float *)a, q = *(const float *)b;
    return (p > q) - (p < q);
}

/* From the lowest to the highest value; where a few reach far beyond the rest, without them. */
static range choose_heights(const plot *p)
{
    float all[2 * SAMPLES];
    int n = 0;
    for (int i = 0; i < 2 * SAMPLES; i++)
        if (isfinite(p->curves[i / SAMPLES][i % SAMPLES]))
            all[n++] = p->curves[i / SAMPLES][i % SAMPLES];
    qsort(all, (size_t)n, sizeof *all, by_size);
    double low = n ? (double)all[n / 50] : -1, high = n ? (double)all[n - 1 - n / 50] : 1;
    double reach = fmax(high - low, 1e-3);
    if (n && (double)all[0] > low - reach / 2)
        low = (double)all[0];
    if (n && (double)all[n - 1] < high + reach / 2)
        high = (double)all[n - 1];
    return (range){fmin(low, 0) - reach * 0.06, fmax(high, 0) + reach * 0.06, false};
}

/* Whether the curve jumps between two samples: a difference that halving does not make smaller. */
static bool jumps(const plot *p, int curve, int i)
{
    float x[3] = {p->x[i - 1], 0, p->x[i]}, y[2][3];
    float first = p->curves[curve][i] - p->curves[curve][i - 1], rest = first;
    if (!((double)fabsf(first) > 0.02 * (p->c.y.high - p->c.y.low)))
        return false;
    for (int n = 0; n < REFINEMENTS; n++) {
        x[1] = x[0] + (x[2] - x[0]) / 2;
        if (hk_curve(p->spec, 3, x, y[0], y[1]) != HK_OK)
            return false;
        int half = fabsf(y[curve][1] - y[curve][0]) < fabsf(y[curve][2] - y[curve][1]);
        x[half ? 0 : 2] = x[1];
        rest = y[curve][half + 1] - y[curve][half];
    }
    return fabsf(rest) > fabsf(first) / 2;
}

/* Not joined over a jump, and far outside the picture cut to what SVG can hold. */
static void put_curve(const plot *p, int curve, const char *class)
{
    double x[2 * SAMPLES], y[2 * SAMPLES], limit = 4 * (p->c.y.high - p->c.y.low);
    int n = 0;
    for (int i = 0; i < SAMPLES; i++) {
        double value = (double)p->curves[curve][i];
        if (i && jumps(p, curve, i))
            x[n] = y[n] = (double)NAN, n++;
        x[n] = (double)p->x[i];
        y[n++] =
            isfinite(value) ? fmax(p->c.y.low - limit, fmin(p->c.y.high + limit, value)) : value;
    }
    page_chart_line(&p->c, class, x, y, n);
}

/* The title is the spec, and below it the plugin's formula; the plugin of a path is the one that was
 * loaded last by that name. */
static void put_words(const plot *p)
{
    static const char *const labels[] = {"value", "derivative"};
    char name[256];
    const hk_plugin *plugin;
    const char *slash = strrchr(p->spec, '/'), *begin = slash ? slash + 1 : p->spec;
    snprintf(name, sizeof name, "%.*s", (int)strcspn(begin, slash ? "." : ":"), begin);
    page_draw_text(p->c.to, "title", LEFT, 26, ANCHOR_START, p->spec, WHOLE_TEXT);
    if (hk_plugin_find(HK_ACTIVATION, name, &plugin) == HK_OK)
        page_draw_text(p->c.to, "", LEFT, 47, ANCHOR_START, plugin->summary, WHOLE_TEXT);
    for (int i = 0; i < 2; i++) {
        int x = WIDTH - RIGHT - 190 + 85 * i;
        fprintf(p->c.to, "\n<path class=\"curve %s\" d=\"M%d 22h30\"/>", labels[i], x);
        page_draw_text(p->c.to, "", x + 36, 26, ANCHOR_START, labels[i], WHOLE_TEXT);
    }
}

static void put_drawing(const plot *p)
{
    const chart *c = &p->c;
    const double zero[] = {page_chart_x(c, 0), page_chart_y(c, 0)};
    fprintf(c->to,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" width=\"%d\" "
            "height=\"%d\" role=\"img\">\n<title>",
            WIDTH, HEIGHT, WIDTH, HEIGHT);
    page_put_html(c->to, p->spec, WHOLE_TEXT);
    fprintf(
        c->to,
        ": value and derivative</title>\n<style>\n%s</style>\n"
        "<clipPath id=\"frame\"><rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\"/></clipPath>\n"
        "<rect width=\"%d\" height=\"%d\" fill=\"var(--paper)\"/>\n",
        plugin_plot_style, LEFT, TOP, WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM, WIDTH, HEIGHT);
    page_chart_axes(c, "", false);
    page_draw_straight(c->to, "axis", c->left, zero[1], c->right, zero[1]);
    if (c->x.low <= 0 && c->x.high >= 0)
        page_draw_straight(c->to, "axis", zero[0], c->top, zero[0], c->bottom);
    fputs("\n<g clip-path=\"url(#frame)\">\n", c->to);
    put_curve(p, 1, "derivative");
    put_curve(p, 0, "value");
    fputs("</g>\n", c->to);
    put_words(p);
    fputs("\n</svg>\n", c->to);
}

/* Value and derivative of a spec over [low, high], into a file. */
static int draw(const char *spec, double low, double high, const char *path)
{
    int status = EXIT_DONE;
    draft d;
    plot *p = calloc(1, sizeof *p);
    if (!p)
        return tool_no_memory();
    p->spec = spec;
    for (int i = 0; i < SAMPLES; i++)
        p->x[i] = (float)(low + (high - low) * i / (SAMPLES - 1));
    if (hk_curve(spec, SAMPLES, p->x, p->curves[0], p->curves[1]) != HK_OK)
        status = tool_failed();
    if (!status) {
        page_draft_open(&d);
        p->c = page_chart_new(d.to, WIDTH, HEIGHT);
        p->c.left = LEFT;
        p->c.right = WIDTH - RIGHT;
        p->c.top = TOP;
        p->c.bottom = HEIGHT - BOTTOM;
        p->c.x = (range){low, high, false};
        p->c.y = choose_heights(p);
        p->c.x_ticks = 10;
        p->c.y_ticks = 7;
        p->c.x_grid = true;
        put_drawing(p);
        status = page_draft_save(&d, path);
    }
    free(p);
    return status;
}

static int plot_range(const options *given)
{
    const char *text = given->range ? given->range : "-5:5";
    char *end;
    const double low = strtod(text, &end);
    const bool begun = end != text && *end == ':';
    const char *second = begun ? end + 1 : end;
    const double high = strtod(second, &end);
    /* far enough apart for floats in between */
    if (!begun || end == second || *end || !(fabs(low) <= 1e6 && fabs(high) <= 1e6) ||
        !(high - low >= fmax(1e-3, 1e-3 * fabs(low))))
        return tool_fail(EXIT_USAGE,
                         "curve: --range is \"%s\", expected LOW:HIGH, within -1e6:1e6 and at "
                         "least a thousandth apart",
                         text);
    return draw(given->operands[0], low, high, given->plot);
}

int plugin_curve_command(options *given)
{
    if (given->range && !given->plot)
        return tool_fail(EXIT_USAGE, "curve: --range goes with --plot");
    if (given->n_operands == 1 && !given->plot)
        return tool_fail(EXIT_USAGE, "curve: expected SPEC X..., or --plot FILE.svg; see hillock "
                                     "curve --help");
    int status = given->n_operands > 1 ? print_points(given) : EXIT_DONE;
    return status || !given->plot ? status : plot_range(given);
}
