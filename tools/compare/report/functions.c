/* What the compared activations are: value and derivative of each. A plugin is code, so only those are
 * drawn that are found by name in the plugin directories; a path in the results is not followed. */
#include "compare/report/parts.h"
#include "page/text.h"

#include <float.h>
#include <hillock/hillock.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SAMPLES = 201, MOST_SPECS = 64 };

typedef struct specs {
    char *items[MOST_SPECS];
    int n, left_out; /* by path, unknown, not elementwise, or too many */
} specs;

static void add_spec(specs *s, const char *text, size_t length)
{
    for (int i = 0; i < s->n; i++)
        if (strlen(s->items[i]) == length && memcmp(s->items[i], text, length) == 0)
            return;
    char *copy = s->n < MOST_SPECS ? strndup(text, length) : NULL;
    if (copy)
        s->items[s->n++] = copy;
    else
        s->left_out++;
}

/* The bytes before the next "+layer="; the '+' of a number, 1e+5, has a digit behind it. */
static size_t part_length(const char *spec)
{
    size_t length = strcspn(spec, "+");
    while (spec[length] && spec[length + 1] >= '0' && spec[length + 1] <= '9')
        length += 1 + strcspn(spec + length + 1, "+");
    return length;
}

/* "relu+conv2=prelu" has two: one at the beginning, and one behind each layer's "=". */
static void add_all(specs *s, const char *text)
{
    size_t length = part_length(text);
    add_spec(s, text, length);
    while (text[length]) {
        text += length + 1;
        const size_t layer = strcspn(text, "=+");
        const bool has_own = text[layer] == '=';
        text += layer + has_own;
        length = part_length(text);
        if (has_own)
            add_spec(s, text, length);
    }
}

/* False where the spec has a path, or no plugin of its name is found or has a curve. */
static bool take_samples(const char *spec, double *x, double *y, double *slope)
{
    float in[SAMPLES], out[2][SAMPLES];
    char name[65];
    const hk_plugin *plugin;
    size_t length = strcspn(spec, ":");
    if (strchr(spec, '/') || length >= sizeof name)
        return false;
    memcpy(name, spec, length);
    name[length] = '\0';
    for (int i = 0; i < SAMPLES; i++)
        in[i] = -4 + 8 * (float)i / (SAMPLES - 1);
    if (hk_plugin_find(HK_ACTIVATION, name, &plugin) != HK_OK ||
        hk_curve(spec, SAMPLES, in, out[0], out[1]) != HK_OK)
        return false;
    for (int i = 0; i < SAMPLES; i++) {
        x[i] = (double)in[i];
        y[i] = (double)out[0][i];
        slope[i] = (double)out[1][i];
    }
    return true;
}

/* Beyond a million, where only a net that diverges has numbers: the first x at which value or
 * derivative is no number, or the value is infinite and the plugin's reference is not; 0: none. */
static double find_far_fault(const char *spec)
{
    static const float far[] = {1e8f, -1e8f, 1e20f, -1e20f, FLT_MAX, -FLT_MAX};
    enum { FAR = sizeof far / sizeof *far };
    float y[FAR], slope[FAR];
    const hk_plugin *plugin;
    if (strchr(spec, '/'))
        return 0;
    const bool has_reference = hk_plugin_find(HK_ACTIVATION, spec, &plugin) == HK_OK &&
                               plugin->activation->value && !plugin->slots;
    double params[HK_MAX_PARAMS] = {0};
    for (int i = 0; has_reference && plugin->params && plugin->params[i].name; i++)
        params[i] = plugin->params[i].value;
    for (int i = 0; hk_curve(spec, FAR, far, y, slope) == HK_OK && i < FAR; i++) {
        const hk_scalar64 at = {.x = (double)far[i], .p = params};
        if (isnan(y[i]) || isnan(slope[i]) ||
            (isinf(y[i]) && has_reference &&
             fabs(plugin->activation->value(&at)) < 0.99 * (double)FLT_MAX))
            return (double)far[i];
    }
    return 0;
}

/* Only what lies in the picture, and not joined over a jump. */
static void put_curve(const chart *c, const char *class, const double *x, const double *y)
{
    double at[2 * SAMPLES], height[2 * SAMPLES];
    int n = 0;
    for (int i = 0; i < SAMPLES; i++) {
        if (i && fabs(y[i] - y[i - 1]) > 0.3 * (c->y.high - c->y.low))
            at[n] = height[n] = (double)NAN, n++;
        at[n] = x[i];
        height[n++] = y[i] >= c->y.low && y[i] <= c->y.high ? y[i] : (double)NAN;
    }
    page_chart_line(c, class, at, height, n);
}

static void put_function(FILE *to, specs *s, const char *spec, const char *class)
{
    double x[SAMPLES], y[SAMPLES], slope[SAMPLES];
    char title[256];
    if (!take_samples(spec, x, y, slope)) {
        s->left_out++;
        return;
    }
    chart c = page_chart_new(to, 190, 150);
    c.left = 24;
    c.right = 186;
    c.top = 6;
    c.bottom = 132;
    c.x = (range){x[0], x[SAMPLES - 1], false};
    c.y = (range){0, 1, false};
    for (int i = 0; i < SAMPLES; i++) { /* beyond +-6, as near a pole, it would flatten the rest */
        page_range_take(&c.y, &y[i], fabs(y[i]) <= 6);
        page_range_take(&c.y, &slope[i], fabs(slope[i]) <= 6);
    }
    page_range_air(&c.y);
    snprintf(title, sizeof title, "%.150s: value and derivative from -4 to 4", spec);
    page_draw_begin(to, spec, class, c.width, c.height, title, "Solid: value. Dashed: derivative.");
    page_chart_axes(&c, "", true);
    page_draw_straight(to, "axis", page_chart_x(&c, 0), c.top, page_chart_x(&c, 0), c.bottom);
    put_curve(&c, "slope", x, slope);
    put_curve(&c, "value", x, y);
    page_draw_end(to);
}

/* The colour that a row with exactly this activation has. */
static const char *class_of(const analysis *a, const char *spec)
{
    for (; a; a = a->with)
        for (int k = 0; k < a->n_panels; k++)
            for (int i = 0; i < a->panels[k].n_rows; i++)
                if (strcmp(a->panels[k].rows[i].label, spec) == 0)
                    return report_row_class(&a->panels[k].rows[i]);
    return NULL;
}

static specs all_specs(const analysis *a)
{
    specs s = {.n = 0};
    for (const analysis *it = a; it; it = it->with)
        for (int i = 0; i < it->of->n_rows; i++)
            add_all(&s, it->of->rows[i].specs[AXIS_ACT]);
    return s;
}

static void free_specs(specs *s)
{
    for (int i = 0; i < s->n; i++)
        free(s->items[i]);
}

void report_each_formula(const analysis *a,
                         void (*put)(FILE *to, const char *spec, const hk_plugin *plugin), FILE *to)
{
    specs s = all_specs(a);
    for (int i = 0; i < s.n; i++) {
        const hk_plugin *plugin = NULL;
        char name[65];
        snprintf(name, sizeof name, "%.*s", (int)strcspn(s.items[i], ":"), s.items[i]);
        if (strchr(s.items[i], '/') || hk_plugin_find(HK_ACTIVATION, name, &plugin) != HK_OK)
            plugin = NULL;
        put(to, s.items[i], plugin);
    }
    free_specs(&s);
}

static void put_formula(FILE *to, const char *spec, const hk_plugin *plugin)
{
    page_row(to);
    page_text_cell(to, spec);
    page_text_cell(to, !plugin           ? "not installed here"
                       : plugin->formula ? plugin->formula
                                         : plugin->summary);
    page_text_cell(to, plugin && plugin->source ? plugin->source : "");
}

static void put_formulas(FILE *to, const analysis *a)
{
    static const page_column columns[] = {{"activation", ""}, {"formula", ""}, {"source", ""}};
    page_table(to, "Formulas", "", columns, 3);
    report_each_formula(a, put_formula, to);
    page_table_end(to);
}

void report_part_functions(FILE *to, const analysis *a)
{
    specs s = all_specs(a);
    char text[160];
    page_section(
        to, "functions", "The activations",
        "Value (solid) and derivative (dashed) of each, learned parameters at their initial values.");
    page_grid_begin(to, GRID_SMALL);
    for (int i = 0; i < s.n; i++)
        put_function(to, &s, s.items[i], class_of(a, s.items[i]));
    page_grid_end(to);
    for (int i = 0; i < s.n; i++) {
        const double far = find_far_fault(s.items[i]);
        snprintf(text, sizeof text, "%.100s has no right value or derivative at x = %.3g.",
                 s.items[i], far);
        page_paragraph(to, "how after", far < 0 || far > 0 ? text : NULL);
    }
    snprintf(text, sizeof text,
             "%d not drawn: a plugin given by its path is not loaded for a report, nor is one that "
             "is not installed here, works across channels, or is one of very many.",
             s.left_out);
    page_paragraph(to, "how after", s.left_out ? text : NULL);
    put_formulas(to, a);
    page_section_end(to);
    free_specs(&s);
}
