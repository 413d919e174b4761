/* The drawing of hillock curve --plot: an SVG file that needs nothing else. Colours stand in one
 * style sheet and follow the reader's light or dark scheme; the curves differ in dashes too. */
#include "plugin/plot.h"
#include "options.h"
#include "output.h"
#include "page/draft.h"
#include "page/draw.h"
#include "page/text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SAMPLES = 801, REFINEMENTS = 12 };
enum { WIDTH = 720, HEIGHT = 480, LEFT = 64, RIGHT = 24, TOP = 64, BOTTOM = 44 };

typedef struct plot {
    const char *spec, *name, *formula;
    double low, high, bottom, top; /* of x, of y */
    float x[SAMPLES], curves[2][SAMPLES];
    FILE *to;
} plot;

static const char style[] =
    "<style>\n"
    ":root { color-scheme: light dark; --paper: #fff; --ink: #1c2126; --faint: #d9dde1; --soft: "
    "#5d6770; --value: #1667b7; --slope: #c2410c; }\n"
    "@media (prefers-color-scheme: dark) { :root { --paper: #14181c; --ink: #e8ecef; --faint: "
    "#323a42; --soft: #9aa5ae; --value: #6cb2f5; --slope: #fb9a66; } }\n"
    "text { font: 13px system-ui, sans-serif; fill: var(--soft); }\n"
    ".title { font-size: 17px; font-weight: 600; fill: var(--ink); }\n"
    ".grid { stroke: var(--faint); } .axis { stroke: var(--soft); }\n"
    ".curve { fill: none; stroke-width: 2.2; stroke-linejoin: round; }\n"
    ".value { stroke: var(--value); } .slope { stroke: var(--slope); stroke-dasharray: 7 4; }\n"
    "</style>\n";

static double across(const plot *p, double x)
{
    return LEFT + (x - p->low) / (p->high - p->low) * (WIDTH - LEFT - RIGHT);
}

static double down(const plot *p, double y)
{
    return TOP + (p->top - y) / (p->top - p->bottom) * (HEIGHT - TOP - BOTTOM);
}

/* ---- What is to be drawn --------------------------------------------------------------------- */

static int take_samples(plot *p)
{
    for (int i = 0; i < SAMPLES; i++)
        p->x[i] = (float)(p->low + (p->high - p->low) * i / (SAMPLES - 1));
    hk_status status = hk_curve(p->spec, SAMPLES, p->x, p->curves[0], p->curves[1]);
    return status == HK_OK ? EXIT_DONE : tool_failed();
}

static int by_size(const void *a, const void *b)
{
    float p = *(const float *)a, q = *(const float *)b;
    return (p > q) - (p < q);
}

/* From the lowest to the highest value; where a few reach far beyond the rest, without them. */
static void choose_heights(plot *p)
{
    float all[2 * SAMPLES];
    int n = 0;
    for (int i = 0; i < 2 * SAMPLES; i++)
        if (isfinite(p->curves[i / SAMPLES][i % SAMPLES]))
            all[n++] = p->curves[i / SAMPLES][i % SAMPLES];
    qsort(all, (size_t)n, sizeof *all, by_size);
    p->bottom = n ? (double)all[n / 50] : -1;
    p->top = n ? (double)all[n - 1 - n / 50] : 1;
    double reach = fmax(p->top - p->bottom, 1e-3);
    if (n && (double)all[0] > p->bottom - reach / 2)
        p->bottom = (double)all[0];
    if (n && (double)all[n - 1] < p->top + reach / 2)
        p->top = (double)all[n - 1];
    p->bottom = fmin(p->bottom, 0) - reach * 0.06;
    p->top = fmax(p->top, 0) + reach * 0.06;
}

/* ---- Lines and words ------------------------------------------------------------------------- */

static void put_line(const plot *p, const char *class, double x1, double y1, double x2, double y2)
{
    fprintf(p->to, "<line class=\"%s\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\"/>\n", class,
            x1, y1, x2, y2);
}

static void put_ticks(const plot *p)
{
    double step = page_tick_step(p->high - p->low, 10);
    for (double i = ceil(p->low / step); i * step <= p->high; i++) {
        double at = across(p, i * step);
        put_line(p, "grid", at, TOP, at, HEIGHT - BOTTOM);
        fprintf(p->to, "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%g</text>\n", at,
                HEIGHT - BOTTOM + 20, i * step + 0.0);
    }
    step = page_tick_step(p->top - p->bottom, 7);
    for (double i = ceil(p->bottom / step); i * step <= p->top; i++) {
        double at = down(p, i * step);
        put_line(p, "grid", LEFT, at, WIDTH - RIGHT, at);
        fprintf(p->to, "<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%g</text>\n", LEFT - 8,
                at + 4.5, i * step + 0.0);
    }
}

static void put_axes(const plot *p)
{
    put_line(p, "axis", LEFT, down(p, 0), WIDTH - RIGHT, down(p, 0));
    if (p->low <= 0 && p->high >= 0)
        put_line(p, "axis", across(p, 0), TOP, across(p, 0), HEIGHT - BOTTOM);
}

static void put_words(const plot *p)
{
    static const char *const labels[] = {"value", "slope"};
    fprintf(p->to, "<text class=\"title\" x=\"%d\" y=\"26\">", LEFT);
    page_put_html(p->to, p->name, WHOLE_TEXT);
    fprintf(p->to, "</text>\n<text x=\"%d\" y=\"47\">", LEFT);
    page_put_html(p->to, p->formula, WHOLE_TEXT);
    fputs("</text>\n", p->to);
    for (int i = 0; i < 2; i++) {
        int x = WIDTH - RIGHT - 160 + 85 * i;
        fprintf(p->to, "<path class=\"curve %s\" d=\"M%d 22h30\"/>", labels[i], x);
        fprintf(p->to, "<text x=\"%d\" y=\"26\">%s</text>\n", x + 36, labels[i]);
    }
}

/* Whether the curve jumps between two samples: a difference that halving does not make smaller. */
static bool jumps(const plot *p, int curve, int i)
{
    float x[3] = {p->x[i - 1], 0, p->x[i]}, y[2][3];
    float first = p->curves[curve][i] - p->curves[curve][i - 1], rest = first;
    if (!((double)fabsf(first) > 0.02 * (p->top - p->bottom)))
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

static void put_curve(const plot *p, int curve, const char *class)
{
    bool drawing = false;
    fprintf(p->to, "<path class=\"curve %s\" d=\"", class);
    for (int i = 0; i < SAMPLES; i++) {
        float y = p->curves[curve][i];
        if (!isfinite(y)) {
            drawing = false;
            continue;
        }
        if (drawing && jumps(p, curve, i))
            drawing = false;
        double limit = 4 * (p->top - p->bottom);
        double height = fmax(p->bottom - limit, fmin(p->top + limit, (double)y));
        fprintf(p->to, "%c%.2f %.2f", drawing ? 'L' : 'M', across(p, (double)p->x[i]),
                down(p, height));
        drawing = true;
    }
    fputs("\"/>\n", p->to);
}

static void put_drawing(const plot *p)
{
    fprintf(p->to,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" width=\"%d\" "
            "height=\"%d\" role=\"img\">\n<title>",
            WIDTH, HEIGHT, WIDTH, HEIGHT);
    page_put_html(p->to, p->name, WHOLE_TEXT);
    fputs(": value and slope</title>\n", p->to);
    fputs(style, p->to);
    fprintf(p->to,
            "<clipPath id=\"frame\"><rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\"/>"
            "</clipPath>\n"
            "<rect width=\"%d\" height=\"%d\" fill=\"var(--paper)\"/>\n",
            LEFT, TOP, WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM, WIDTH, HEIGHT);
    put_ticks(p);
    put_axes(p);
    fputs("<g clip-path=\"url(#frame)\">\n", p->to);
    put_curve(p, 1, "slope");
    put_curve(p, 0, "value");
    fputs("</g>\n", p->to);
    put_words(p);
    fputs("</svg>\n", p->to);
}

/* ---- The whole ------------------------------------------------------------------------------- */

/* The plugin's own name and formula; a path's plugin is the one that was loaded last by it. */
static void find_words(plot *p)
{
    char name[256];
    const hk_plugin *plugin;
    const char *slash = strrchr(p->spec, '/'), *begin = slash ? slash + 1 : p->spec;
    snprintf(name, sizeof name, "%.*s", (int)strcspn(begin, slash ? "." : ":"), begin);
    p->name = p->spec;
    p->formula = hk_plugin_find(HK_ACTIVATION, name, &plugin) == HK_OK ? plugin->summary : "";
}

int plugin_plot_curve(const char *spec, double low, double high, const char *path)
{
    plot *p = calloc(1, sizeof *p);
    if (!p)
        return tool_no_memory();
    *p = (plot){.spec = spec, .low = low, .high = high};
    draft d;
    int status = take_samples(p);
    if (!status && !page_draft_open(&d))
        status = tool_no_memory();
    if (!status) {
        p->to = d.to;
        find_words(p);
        choose_heights(p);
        put_drawing(p);
        status = page_draft_save(&d, path);
    }
    free(p);
    return status;
}
