/* Two sweeps side by side on the page: what differs, and a line for each row that one of them has. */
#include "compare/report/beside.h"
#include "compare/report/parts.h"
#include "page/text.h"

#include <math.h>
#include <stdlib.h>

static void put_settings(FILE *to, const analysis *a)
{
    const page_column columns[] = {{"", ""}, {a->of->name, ""}, {a->with->of->name, ""}};
    static const char *const keys[] = {"what", "here", "there"};
    json_t *all = report_beside_settings(a), *one;
    size_t i;
    page_table(
        to, json_array_size(all) ? "What differs between them" : "No setting differs between them",
        "", columns, 3);
    json_array_foreach(all, i, one)
    {
        page_row(to);
        for (int k = 0; k < 3; k++)
            page_text_cell(to, json_string_value(json_object_get(one, keys[k])));
    }
    page_table_end(to);
    json_decref(all);
}

/* Picture, mean and verdict in one of the sweeps. */
static void put_half(FILE *to, const panel *p, const standing *s, const range *scale)
{
    char text[200];
    if (!s) {
        fputs("<td class=\"wide\"><td class=\"number\">&#8211;<td class=\"wide\">", to);
        return;
    }
    fputs("<td class=\"picture wide\">", to);
    report_put_row_picture(to, p, s, scale);
    fputs("<td class=\"number\">", to);
    if (s->score.n)
        fprintf(to, "<b>%.2f</b>&#8239;%%", 100 * s->score.mean);
    if (s->score.n > 1)
        fprintf(to, " <span class=\"soft\">&#177; %.2f</span>", 100 * s->score.sd);
    report_verdict_write(p, s, text, sizeof text);
    fputs("<td class=\"wide soft\">", to);
    page_put_html(to, text, WHOLE_TEXT);
}

static void put_table(FILE *to, const analysis *a, const beside *b)
{
    char names[2][2][96], caption[200];
    const analysis *const of[] = {a, a->with};
    for (int k = 0; k < 2; k++) {
        snprintf(names[k][0], sizeof names[k][0], "%.60s: seeds, mean, 95 %% interval",
                 of[k]->of->name);
        snprintf(names[k][1], sizeof names[k][1], "%.60s, mean \xC2\xB1 s", of[k]->of->name);
    }
    const page_column columns[] = {{"", ""},
                                   {names[0][0], "wide"},
                                   {names[0][1], "number"},
                                   {"verdict", "wide"},
                                   {names[1][0], "wide"},
                                   {names[1][1], "number"},
                                   {"verdict", "wide"},
                                   {"difference", "number"}};
    range scale = report_score_scale(b->here);
    const range other = report_score_scale(b->there);
    scale.low = fmin(scale.low, other.low);
    scale.high = fmax(scale.high, other.high);
    snprintf(caption, sizeof caption, "%.80s on %.80s, %s %s", b->here->model, b->here->data_name,
             b->here->score_of, b->here->score_name);
    page_table(to, caption, "beside", columns, sizeof columns / sizeof *columns);
    for (int i = 0; i < b->n; i++) {
        const beside_row *row = &b->rows[i];
        const panel *in = row->here ? b->here : b->there;
        page_row(to);
        fputs("<td class=\"name\">", to);
        page_dot(to, report_row_class(&in->rows[(row->here ? row->here : row->there)->row]));
        page_put_html(to, row->label, CAPTION_LETTERS);
        put_half(to, b->here, row->here, &scale);
        put_half(to, b->there, row->there, &scale);
        fputs("<td class=\"number\">", to);
        if (isfinite(report_beside_difference(row)))
            fprintf(to, "%+.2f", 100 * report_beside_difference(row));
        putc('\n', to);
    }
    page_table_end(to);
}

void report_part_beside(FILE *to, const analysis *a)
{
    bool any = false;
    page_section(
        to, "beside", "Side by side",
        "The difference is that of the means, the second less the first, in points. Nothing is tested "
        "between two comparisons: verdicts are those of each by itself, against its own baseline.");
    put_settings(to, a);
    for (int k = 0; k < a->n_panels; k++) {
        beside b;
        if (!report_beside(a, k, &b))
            continue;
        put_table(to, a, &b);
        free(b.rows);
        any = true;
    }
    page_paragraph(to, "how after", any ? NULL : "They have no table of the same data and model.");
    page_section_end(to);
}
