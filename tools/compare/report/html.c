/* The page: the answer first, then a section for each panel, then what they have in common. */
#include "compare/report/formats.h"
#include "compare/report/parts.h"
#include "page/text.h"

#include <hillock/registry.h>
#include <string.h>

const char *report_row_class(const row_view *row)
{
    return page_series_class(row->colour);
}

const standing *report_standing_of(const panel *p, const row_view *row)
{
    for (int i = 0; i < p->n_ranked; i++)
        if (&p->rows[p->standings[i].row] == row)
            return &p->standings[i];
    return NULL;
}

/* Rows that differ. */
static int rows_of(const panel *p)
{
    return p->n_ranked ? p->n_ranked : p->n_rows;
}

static const row_view *ranked(const panel *p, int i)
{
    return &p->rows[p->n_ranked ? p->standings[i].row : i];
}

/* The baseline, and what somebody wrote: its file is not in the folder of relu's. */
static bool must_be_drawn(const panel *p, const row_view *row)
{
    char name[65];
    const hk_plugin *plugin, *relu;
    const char *spec = row->record->specs[AXIS_ACT];
    snprintf(name, sizeof name, "%.*s", (int)strcspn(spec, ":+"), spec);
    if (row == &p->rows[p->baseline])
        return true;
    if (strchr(name, '/') || hk_plugin_find(HK_ACTIVATION, name, &plugin) != HK_OK ||
        hk_plugin_find(HK_ACTIVATION, "relu", &relu) != HK_OK)
        return true;
    const char *file = hk_plugin_describe(plugin).file, *usual = hk_plugin_describe(relu).file;
    const char *slash = usual ? strrchr(usual, '/') : NULL;
    return slash && file && strncmp(file, usual, (size_t)(slash - usual) + 1) != 0;
}

drawn report_drawn_rows(const panel *p, int most)
{
    drawn d = {.n = 0};
    int must = 0;
    for (int i = 0; i < rows_of(p); i++)
        must += must_be_drawn(p, ranked(p, i));
    for (int i = 0; i < rows_of(p) && d.n < most; i++) {
        const row_view *row = ranked(p, i);
        const bool it_must = must_be_drawn(p, row);
        if (it_must || d.n + must < most)
            d.rows[d.n++] = row;
        must -= it_must;
    }
    return d;
}

/* Sections of a second comparison follow those of the first. */
static int number_of(const analysis *a, int k, const analysis *first)
{
    return k + 1 + (a == first ? 0 : first->n_panels);
}

static void put_title(FILE *to, const panel *p)
{
    page_put_html(to, p->model, CAPTION_LETTERS);
    fputs(" on ", to);
    page_put_html(to, p->data_name, CAPTION_LETTERS);
}

/* The answer of each panel leads to its section. */
static void put_answers(FILE *to, const analysis *a, const analysis *first)
{
    fputs("<ul class=\"answers\">\n", to);
    for (int i = 0; i < a->n_panels; i++) {
        fprintf(to, "<li><a href=\"#panel%d\">", number_of(a, i, first));
        put_title(to, &a->panels[i]);
        fputs("</a> ", to);
        page_put_html(to, a->panels[i].sentence, WHOLE_TEXT);
        putc('\n', to);
    }
    fputs("</ul>\n", to);
}

static void put_name(FILE *to, const results *r)
{
    if (r->name && *r->name) {
        fputs(": ", to);
        page_put_html(to, r->name, 200);
    }
}

/* The answer, and how many runs it rests on. */
static void put_answer(FILE *to, const analysis *a, const analysis *first)
{
    const results *r = a->of;
    page_paragraph(to, "answer", a->sentence);
    page_paragraph(to, "soft", a->looked);
    if (a->n_panels > 1)
        put_answers(to, a, first);
    fprintf(to, "<p class=\"soft\">%d row%s, %lld seed%s each, %d runs", r->n_rows,
            r->n_rows == 1 ? "" : "s", (long long)r->seeds, r->seeds == 1 ? "" : "s", a->runs);
    if (a->failures)
        fprintf(to, ", <span class=\"failed\">%d failed</span>", a->failures);
    if (a->unfinished)
        fprintf(to, ", <b>%d not yet done: this report is of an unfinished comparison</b>",
                a->unfinished);
    fprintf(to, ". Scores are %s %s.</p>\n", a->n_panels ? a->panels[0].score_of : "test",
            a->n_panels ? a->panels[0].score_name : "accuracy");
}

static void put_head(FILE *to, const analysis *a)
{
    fputs("<header>\n", to);
    for (const analysis *it = a; it; it = it->with) {
        fputs("<h1>Hillock comparison", to);
        put_name(to, it->of);
        fputs("</h1>\n", to);
        put_answer(to, it, a);
    }
    fprintf(to,
            "<nav>%s%s<a href=\"#functions\">Activations</a><a href=\"#runs\">Every run</a>"
            "<a href=\"#provenance\">Provenance</a></nav>\n</header>\n<main>\n",
            a->with ? "<a href=\"#beside\">Side by side</a>" : "",
            a->n_panels == 1 ? "<a href=\"#panel1\">Leaderboard</a>" : "");
}

static void put_panel(FILE *to, const analysis *a, const analysis *first, int i)
{
    /* Fewer pictures per panel where there are many panels: a page of a few megabytes at most. */
    const int panels = first->n_panels + (first->with ? first->with->n_panels : 0);
    int most = 192 / panels > MOST_DRAWN ? MOST_DRAWN : 192 / panels;
    const panel *p = &a->panels[i];
    drawn d = report_drawn_rows(p, most < 3 ? 3 : most);
    char text[200];
    fprintf(to, "<section id=\"panel%d\">\n<h2>", number_of(a, i, first));
    put_title(to, p);
    if (first->with)
        put_name(to, a->of);
    fputs("</h2>\n", to);
    page_paragraph(to, "lead", p->sentence);
    snprintf(text, sizeof text,
             "%d runs are not done yet; rows are ranked over the %d seeds that every row has run.",
             p->unfinished, p->seeds);
    page_paragraph(to, "failed", p->unfinished ? text : NULL);
    snprintf(text, sizeof text,
             "%d rows; the pictures show the best %d and the baseline, the tables all.", p->n_rows,
             d.n);
    page_paragraph(to, "how", d.n < rows_of(p) ? text : NULL);
    report_part_board(to, p);
    report_part_curves(to, p, &d);
    report_part_stream(to, p, &d);
    report_part_rates(to, p);
    report_part_quantised(to, p);
    report_part_layers(to, p, &d);
    page_section_end(to);
}

void report_html(FILE *to, const analysis *a)
{
    page_begin(to, a->sentence);
    put_head(to, a);
    if (a->with)
        report_part_beside(to, a);
    for (const analysis *it = a; it; it = it->with)
        for (int i = 0; i < it->n_panels; i++)
            put_panel(to, it, a, i);
    report_part_functions(to, a);
    for (const analysis *it = a; it; it = it->with) {
        report_part_runs(to, it);
        report_part_provenance(to, it);
    }
    fputs("</main>\n<footer>Made by hillock report. This page loads nothing and runs nothing."
          "</footer>\n",
          to);
    page_end(to);
}
