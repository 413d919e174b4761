/* The page of hillock doctor: the verdict, why and what to do, then every unit as a cell of its
 * layer's map, what reaches the units of the layers that suffer, and the figures. */
#include "net/doctor.h"

#include "memory.h"
#include "output.h"
#include "page/draft.h"
#include "page/draw.h"
#include "page/page.h"
#include "page/text.h"

#include <math.h>
#include <stdlib.h>

/* ---- Verdict, reasons, advice ---------------------------------------------------------------- */

static void put_head(FILE *to, const findings *c)
{
    char text[256];
    fputs("<header>\n<h1>Hillock doctor: ", to);
    page_put_html(to, c->given->operands[0], 200);
    fputs("</h1>\n", to);
    fprintf(to,
            "<p class=\"answer\">%s.</p>\n<p class=\"soft\">%s, examined on %s training images of ",
            net_doctor_verdict(c->found, text, sizeof text), c->it->name,
            tool_grouped(c->found->inputs));
    page_put_html(to, hk_data_spec(c->data), 200);
    fputs(c->record ? "."
                    : ". The file has no record of a training: neither its optimizer "
                      "steps nor its initial weights are known.",
          to);
    fputs("</p>\n</header>\n<main>\n", to);
}

static void put_reasons(FILE *to, const hk_examination *e)
{
    page_section(to, "why", "Why", NULL);
    fputs("<ul class=\"answers\">\n", to);
    for (int i = 0; i < e->n_layers; i++) {
        if (!*e->layers[i].why)
            continue;
        fputs("<li><b>", to);
        page_put_html(to, e->layers[i].layer, WHOLE_TEXT);
        fputs("</b>: ", to);
        page_put_html(to, e->layers[i].why, WHOLE_TEXT);
        fputs(".</li>\n", to);
    }
    fputs("</ul>\n", to);
    page_section_end(to);
}

static void put_advice(FILE *to, const findings *c)
{
    const hk_examination *e = c->found;
    char *pasted = NULL;
    FILE *line = tool_memory_stream(&pasted, NULL);
    page_section(
        to, "advice", "What to do",
        "What treatments there are, in no order, and how many units each reaches; then what to "
        "change in training, or the units die again.");
    fputs("<ol class=\"answers\">\n", to);
    for (int i = 0; i < e->n_advice; i++) {
        fputs("<li>", to);
        if (*e->advice[i].treatment)
            fprintf(to, "<code>--treat %s</code>: ", e->advice[i].treatment);
        page_put_html(to, e->advice[i].text, WHOLE_TEXT);
        fputs(".</li>\n", to);
    }
    fputs("</ol>\n", to);
    if (!c->tried)
        page_paragraph(to, "how after", net_doctor_experience(e));
    net_doctor_put_command(line, c, "");
    fclose(line);
    if (*pasted) {
        fputs("<pre>", to);
        page_put_html_lines(to, pasted);
        fputs("</pre>\n", to);
    }
    free(pasted);
    page_section_end(to);
}

/* ---- Every unit ------------------------------------------------------------------------------ */

enum { MAP_COLUMNS = 16, MOST_MAPPED = 1024 };

/* A cell for each unit. */
static void put_map(FILE *to, const hk_layer_finding *l)
{
    const int columns = l->units > 128 ? 2 * MAP_COLUMNS : MAP_COLUMNS;
    const double cell = 360.0 / columns;
    const int shown = l->units < MOST_MAPPED ? (int)l->units : MOST_MAPPED;
    const int rows = (shown + columns - 1) / columns;
    char caption[160];
    snprintf(caption, sizeof caption, "%.60s: %lld of %lld do not learn", l->layer,
             (long long)l->not_learning, (long long)l->units);
    page_draw_begin(
        to, caption, NULL, 360, cell * rows, caption,
        "A cell for each unit, in order, row by row, by whether it learns, is dormant, or does not "
        "learn.");
    for (int u = 0; u < shown; u++)
        fprintf(to,
                "<rect class=\"%s\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" "
                "rx=\"3\"/>",
                l->found[u].not_learning ? "night"
                : l->found[u].dormant    ? "pale"
                                         : "glow",
                u % columns * cell + 1, u / columns * cell + 1, cell - 2, cell - 2);
    page_draw_end(to);
}

/* A cell, and what it means. */
static void put_key(FILE *to, const char *class, const char *meaning)
{
    fprintf(
        to,
        "<svg class=\"key\" viewBox=\"0 0 22 10\" aria-hidden=\"true\"><rect class=\"%s\" width=\"22\" "
        "height=\"10\" rx=\"3\"/></svg>%s",
        class, meaning);
}

static void put_maps(FILE *to, const hk_examination *e)
{
    page_section(to, "units", "Every unit",
                 "Each cell is a unit: a channel of a convolution, an output of a dense layer.");
    fputs("<p class=\"how\">", to);
    put_key(to, "glow", "learns ");
    put_key(to, "pale", "dormant: its mean output is negligible against that of its layer ");
    put_key(to, "night", "does not learn</p>\n");
    page_grid_begin(to, GRID_WIDE);
    for (int i = 0; i < e->n_layers; i++)
        put_map(to, &e->layers[i]);
    page_grid_end(to);
    page_section_end(to);
}

/* ---- Pre-activations ------------------------------------------------------------------------- */

static int by_maximum(const void *a, const void *b)
{
    const hk_unit_finding *p = *(const hk_unit_finding *const *)a;
    const hk_unit_finding *q = *(const hk_unit_finding *const *)b;
    return (p->x_max > q->x_max) - (p->x_max < q->x_max);
}

enum { MOST_BARS = 64 };

/* Evenly chosen of all units, by maximum pre-activation; returns how many. */
static int choose_units(const hk_layer_finding *l, const hk_unit_finding **out)
{
    const hk_unit_finding **sorted = calloc((size_t)l->units, sizeof *sorted);
    int n = l->units < MOST_BARS ? (int)l->units : MOST_BARS;
    if (!sorted)
        return 0;
    for (int64_t u = 0; u < l->units; u++)
        sorted[u] = &l->found[u];
    qsort((void *)sorted, (size_t)l->units, sizeof *sorted, by_maximum);
    for (int i = 0; i < n; i++)
        out[i] = sorted[n > 1 ? i * (l->units - 1) / (n - 1) : 0];
    free((void *)sorted);
    return n;
}

static void put_reach(FILE *to, const hk_layer_finding *l)
{
    const hk_unit_finding *units[MOST_BARS];
    const double zero[2] = {0, 0};
    int n = choose_units(l, units);
    chart c = page_chart_new(to, 360, 220);
    c.x = (range){-1, n, false};
    c.y = (range){0, 0, false};
    for (int i = 0; i < n; i++) {
        page_range_take(&c.y, &units[i]->x_min, 1);
        page_range_take(&c.y, &units[i]->x_max, 1);
    }
    page_range_air(&c.y);
    page_draw_begin(to, l->layer, NULL, c.width, c.height, l->layer,
                    "For each unit a line from its minimum to its maximum pre-activation; "
                    "units in order of the maximum.");
    page_chart_axes(&c, "units, by maximum", true);
    page_chart_line(&c, "s0", (double[]){c.x.low, c.x.high}, zero, 2);
    for (int i = 0; i < n; i++)
        page_chart_bar(&c, units[i]->not_learning ? "s2" : "s1", i, units[i]->x_min,
                       units[i]->x_max);
    page_draw_end(to);
}

static void put_reaches(FILE *to, const hk_examination *e)
{
    page_section(to, "reach", "Range of pre-activations",
                 "A line for each unit, from its minimum to its maximum pre-activation; orange: "
                 "units that do not learn. relu learns only from values above the dashed 0.");
    page_grid_begin(to, GRID_WIDE);
    for (int i = 0; i < e->n_layers; i++)
        if (e->layers[i].not_learning && e->layers[i].has_slope)
            put_reach(to, &e->layers[i]);
    page_grid_end(to);
    page_section_end(to);
}

/* ---- The figures ----------------------------------------------------------------------------- */

static void put_layers(FILE *to, const hk_examination *e)
{
    static const page_column columns[] = {{"layer", ""},
                                          {"activation", ""},
                                          {"units", "number"},
                                          {"do not learn", "number"},
                                          {"no slope", "number"},
                                          {"never above 0", "number"},
                                          {"dormant", "number"},
                                          {"saturated", "number wide"},
                                          {"zeros", "number wide"},
                                          {"effective rank", "number"},
                                          {"cause", ""}};
    page_table(to, "Numbers of units; shares of outputs", "", columns,
               sizeof columns / sizeof *columns);
    for (int i = 0; i < e->n_layers; i++) {
        const hk_layer_finding *l = &e->layers[i];
        page_row(to);
        page_text_cell(to, l->layer);
        page_text_cell(to, l->activation);
        page_numbers(to, 0, (double)l->units, (double)l->not_learning, (double)l->gradient_dead,
                     (double)l->never_positive, (double)l->dormant);
        page_percent_cell(to, "number wide", l->saturated, 1);
        page_percent_cell(to, "number wide", l->zeros, 1);
        page_numbers(to, 1, l->effective_rank);
        page_text_cell(to, l->not_learning ? hk_cause_name(l->cause) : "");
    }
    page_table_end(to);
}

/* How many do not learn as far as the first inputs show. */
static void put_seen(FILE *to, const hk_examination *e)
{
    page_column columns[1 + HK_SEEN_POINTS] = {{"number of inputs", ""}};
    char names[HK_SEEN_POINTS][32];
    for (int p = 0; p < e->n_seen; p++) {
        snprintf(names[p], sizeof names[p], "%s", tool_grouped(e->seen[p]));
        columns[1 + p] = (page_column){names[p], "number"};
    }
    page_table(to, "Share of units that do not learn on the first inputs", "", columns,
               1 + e->n_seen);
    for (int i = 0; i < e->n_layers; i++) {
        const hk_layer_finding *l = &e->layers[i];
        page_row(to);
        page_text_cell(to, l->layer);
        for (int p = 0; p < e->n_seen; p++)
            page_percent_cell(to, "number", (double)l->not_learning_seen[p] / (double)l->units, 1);
    }
    page_table_end(to);
}

enum { MOST_LISTED = 500 };

static void put_units(FILE *to, const hk_examination *e)
{
    static const page_column columns[] = {{"layer", ""},
                                          {"unit", "number"},
                                          {"cause", ""},
                                          {"minimum input", "number"},
                                          {"maximum input", "number"},
                                          {"bias", "number"},
                                          {"weight norm", "number"},
                                          {"negative weights", "number"}};
    char summary[64];
    int listed = 0;
    snprintf(summary, sizeof summary, "The units that do not learn%s",
             e->not_learning > MOST_LISTED ? ": the first 500" : "");
    page_details(to, summary);
    page_table(to, summary, "", columns, sizeof columns / sizeof *columns);
    for (int i = 0; i < e->n_layers; i++)
        for (int64_t u = 0; u < e->layers[i].units && listed < MOST_LISTED; u++)
            if (e->layers[i].found[u].not_learning) {
                const hk_unit_finding *unit = &e->layers[i].found[u];
                page_row(to);
                page_text_cell(to, e->layers[i].layer);
                page_numbers(to, 0, (double)u);
                page_text_cell(to, hk_cause_name(unit->cause));
                page_numbers(to, 3, unit->x_min, unit->x_max, unit->bias, unit->weight);
                page_percent_cell(to, "number", unit->negative, 0);
                listed++;
            }
    page_table_end(to);
    page_details_end(to);
}

int net_doctor_page(const findings *c)
{
    const hk_examination *e = c->found;
    draft d;
    page_draft_open(&d);
    page_begin(d.to, "Hillock doctor");
    put_head(d.to, c);
    if (e->not_learning) {
        put_reasons(d.to, e);
        put_advice(d.to, c);
    }
    if (c->tried)
        net_trial_page(d.to, c->tried);
    put_maps(d.to, e);
    if (e->not_learning)
        put_reaches(d.to, e);
    page_section(d.to, "figures", "Figures", NULL);
    put_layers(d.to, e);
    page_heading(d.to, "Dead units by number of inputs",
                 "Dead-unit counts depend on how many inputs are examined.");
    put_seen(d.to, e);
    if (e->not_learning)
        put_units(d.to, e);
    page_section_end(d.to);
    fputs("</main>\n", d.to);
    page_end(d.to);
    return page_draft_save(&d, c->given->report);
}
