/* The leaderboards as LaTeX tables (booktabs), to be read into a paper with \input. */
#include "compare/report/beside.h"
#include "compare/report/formats.h"
#include "compare/report/parts.h"
#include "page/text.h"

#include <math.h>
#include <stdlib.h>

static void put_text_p(FILE *to, double p)
{
    char text[32];
    report_p_text(p, text, sizeof text);
    fprintf(to, " & %s", isfinite(p) ? text : "--");
}

static void put_line(FILE *to, const panel *p, const standing *s)
{
    char text[200];
    page_put_latex(to, p->rows[s->row].label);
    if (s->score.n > 1)
        fprintf(to, " & $%.2f \\pm %.2f$ & %.2f to %.2f", 100 * s->score.mean, 100 * s->score.sd,
                100 * s->score.low, 100 * s->score.high);
    else if (s->score.n)
        fprintf(to, " & $%.2f$ & --", 100 * s->score.mean);
    else
        fputs(" & -- & --", to);
    if (s->verdict != VERDICT_BASELINE && isfinite(s->against.difference))
        fprintf(to, " & $%+.2f$", 100 * s->against.difference);
    else
        fputs(" & --", to);
    put_text_p(to, s->p_adjusted);
    fprintf(to, " & %s & ", *s->letters ? s->letters : "--");
    report_verdict_write(p, s, text, sizeof text);
    page_put_latex(to, text);
    fputs(" \\\\\n", to);
}

static void put_panel(FILE *to, const panel *p)
{
    fputs("\n% ", to);
    page_put_latex(to, p->model);
    fputs(" on ", to);
    page_put_latex(to, p->data_name);
    fprintf(to, ", %d seed%s\n", p->seeds, p->seeds == 1 ? "" : "s");
    fprintf(
        to,
        "\\begin{tabular}{lrrrrll}\n\\toprule\nactivation & %s %s $\\pm s$, \\%% & 95\\,\\%% interval & "
        "to baseline & $p$ & letters & verdict \\\\\n\\midrule\n",
        p->score_of, p->score_name);
    for (int i = 0; i < p->n_ranked; i++)
        put_line(to, p, &p->standings[i]);
    fputs("\\bottomrule\n\\end{tabular}\n", to);
}

static void put_mean(FILE *to, const standing *s)
{
    if (!s || !s->score.n)
        fputs(" & --", to);
    else if (s->score.n == 1)
        fprintf(to, " & $%.2f$", 100 * s->score.mean);
    else
        fprintf(to, " & $%.2f \\pm %.2f$", 100 * s->score.mean, 100 * s->score.sd);
}

/* The k-th table beside that of the other comparison. */
static void put_beside(FILE *to, const analysis *a, int k)
{
    beside b;
    if (!report_beside(a, k, &b))
        return;
    fputs(
        "\n% Side by side; nothing is tested between the two.\n\\begin{tabular}{lrrr}\n\\toprule\nactivation",
        to);
    for (const analysis *it = a; it; it = it->with) {
        fputs(" & ", to);
        page_put_latex(to, it->of->name);
        fputs(" $\\pm s$, \\%", to);
    }
    fputs(" & difference \\\\\n\\midrule\n", to);
    for (int i = 0; i < b.n; i++) {
        page_put_latex(to, b.rows[i].label);
        put_mean(to, b.rows[i].here);
        put_mean(to, b.rows[i].there);
        if (isfinite(report_beside_difference(&b.rows[i])))
            fprintf(to, " & $%+.2f$ \\\\\n", 100 * report_beside_difference(&b.rows[i]));
        else
            fputs(" & -- \\\\\n", to);
    }
    fputs("\\bottomrule\n\\end{tabular}\n", to);
    free(b.rows);
}

static void put_formula(FILE *to, const char *spec, const hk_plugin *plugin)
{
    if (!plugin || !plugin->formula)
        return;
    page_put_latex(to, spec);
    fputs(" & \\texttt{", to);
    page_put_latex(to, plugin->formula);
    fputs("} \\\\\n", to);
}

void report_latex(FILE *to, const analysis *a)
{
    fputs(
        "% Needs \\usepackage{booktabs} and, for letters beyond ASCII, \\usepackage[T1]{fontenc}.\n"
        "% Mean \\pm s, the standard deviation over seeds; intervals of the mean by Student's t; p of paired t\n"
        "% tests, corrected for all pairs of rows; two rows are told apart where they have no letter in\n"
        "% common.\n% ",
        to);
    page_put_latex(to, a->sentence);
    putc('\n', to);
    for (int i = 0; a->with && i < a->n_panels; i++)
        put_beside(to, a, i);
    const analysis *all = a;
    for (; a; a = a->with)
        for (int i = 0; i < a->n_panels; i++)
            put_panel(to, &a->panels[i]);
    fputs("\n% Parameters and learned values by their names.\n\\begin{tabular}{ll}\n\\toprule\n"
          "activation & value \\\\\n\\midrule\n",
          to);
    report_each_formula(all, put_formula, to);
    fputs("\\bottomrule\n\\end{tabular}\n", to);
}
