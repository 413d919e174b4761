/* One figure of a report by itself, for a paper. */
#include "compare/report/parts.h"
#include "compare/report/formats.h"
#include "page/text.h"

#include <math.h>
#include <string.h>

/* ---- The leaderboard as a chart: a line for each row ------------------------------------------- */

enum { WIDTH = 460, LINE = 18, NAMES = 150, TOP = 8, BELOW = 34 };

static void put_line(const chart *c, const panel *p, const standing *s, double y)
{
    const row_view *row = &p->rows[s->row];
    const double *scores = p->scores + (size_t)s->row * (size_t)p->seeds;
    fprintf(c->to, "<g class=\"%s\">", report_row_class(row));
    page_draw_text(c->to, "label", c->left - 8, y + 4, ANCHOR_END, row->label, 24);
    if (isfinite(s->score.low))
        page_draw_straight(c->to, "bar", page_chart_x(c, s->score.low), y,
                           page_chart_x(c, s->score.high), y);
    for (int i = 0; i < p->seeds; i++)
        if (isfinite(scores[i]))
            page_draw_straight(c->to, "seeds", page_chart_x(c, scores[i]) - 0.1, y,
                               page_chart_x(c, scores[i]) + 0.1, y);
    if (s->score.n)
        fprintf(c->to, "<path class=\"mean\" d=\"M%.1f %.1fm-4 0a4 4 0 1 0 8 0a4 4 0 1 0-8 0z\"/>",
                page_chart_x(c, s->score.mean), y);
    fputs("</g>\n", c->to);
}

static void put_leaderboard(FILE *to, const panel *p, const drawn *d)
{
    chart c = page_chart_new(to, WIDTH, p->n_ranked * LINE + TOP + BELOW);
    (void)d;
    c.left = NAMES;
    c.x_grid = true;
    page_range_take(&c.x, p->scores, p->n_rows * p->seeds);
    for (int i = 0; i < p->n_ranked; i++)
        page_range_take(&c.x, (double[]){p->standings[i].score.low, p->standings[i].score.high}, 2);
    page_range_air(&c.x);
    c.x.low *= 100;
    c.x.high *= 100;
    c.y = (range){0, 1, false};
    c.y_ticks = 0;
    page_draw_begin(to, "Leaderboard", NULL, c.width, c.height, "Leaderboard",
                    "Seeds, means and 95 % intervals of each row.");
    char name[64];
    snprintf(name, sizeof name, "%s %s, %%", p->score_of, p->score_name);
    page_chart_axes(&c, name, false);
    c.x.low /= 100;
    c.x.high /= 100;
    for (int i = 0; i < p->n_ranked; i++)
        put_line(&c, p, &p->standings[i], TOP + (i + 0.5) * LINE);
    page_draw_end(to);
}

/* ---- By name ----------------------------------------------------------------------------------- */

typedef struct figure_kind {
    const char *name;
    void (*put)(FILE *to, const panel *p, const drawn *d);
} figure_kind;

static const figure_kind kinds[] = {{"leaderboard", put_leaderboard},
                                    {"score", report_put_score},
                                    {"loss", report_put_loss},
                                    {"cost", report_put_cost}};

const char *const report_figure_names[] = {"leaderboard", "score", "loss", "cost", NULL};

bool report_figure_write(FILE *to, const analysis *a, const char *name, int table)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(kinds[i].name, name) == 0 && table >= 0 && table < a->n_panels) {
            const drawn d = report_drawn_rows(&a->panels[table], MOST_DRAWN);
            kinds[i].put(to, &a->panels[table], &d);
            return true;
        }
    return false;
}
