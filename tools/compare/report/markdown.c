/* The report in Markdown: what fits into a README or an issue. */
#include "compare/report/beside.h"
#include "compare/report/formats.h"
#include "page/text.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>

static void put_line(FILE *to, const panel *p, const standing *s)
{
    char text[200];
    const bool tested = isfinite(s->p_adjusted);
    if (s->failures)
        fputs("| | | ", to);
    else
        fprintf(to, "| %d | %s | ", s->rank, s->letters);
    page_put_markdown(to, p->rows[s->row].label);
    fputs(" | ", to);
    if (s->score.n)
        fprintf(to, "%.2f", 100 * s->score.mean);
    if (s->score.n > 1)
        fprintf(to, " | %.2f to %.2f | ", 100 * s->score.low, 100 * s->score.high);
    else
        fputs(" | | ", to);
    if (tested)
        fprintf(to, "%+.2f", 100 * s->against.difference);
    report_p_text(s->p_adjusted, text, sizeof text);
    fprintf(to, " | %s | ", tested ? text : "");
    if (tested && s->against.seeds_needed)
        fprintf(to, s->against.seeds_needed < 0 ? "> 1000" : "%d", s->against.seeds_needed);
    report_verdict_write(p, s, text, sizeof text);
    fputs(" | ", to);
    page_put_markdown(to, text);
    fputs(" |\n", to);
}

static void put_panel(FILE *to, const panel *p)
{
    fputs("\n## ", to);
    page_put_markdown(to, p->model);
    fputs(" on ", to);
    page_put_markdown(to, p->data_name);
    fputs("\n\n", to);
    page_put_markdown(to, p->sentence);
    putc('\n', to);
    if (!p->n_ranked)
        return;
    fprintf(
        to,
        "\n%c%s %s in percent over %d seed%s; two rows are told apart where they have no letter in "
        "common.",
        toupper(*p->score_of), p->score_of + 1, p->score_name, p->seeds, p->seeds == 1 ? "" : "s");
    if (isfinite(p->floor))
        fprintf(to, " Floor: %.2f, %s.", 100 * p->floor, p->floor_name);
    fputs(
        "\n\n| rank | letters | row | mean | 95 % interval | to baseline | p | seeds needed | verdict "
        "|\n|---:|:---|:---|---:|---:|---:|---:|---:|:---|\n",
        to);
    for (int i = 0; i < p->n_ranked; i++)
        put_line(to, p, &p->standings[i]);
}

static void put_failures(FILE *to, const analysis *a)
{
    static const int shown[] = {AXIS_MODEL, AXIS_DATA, AXIS_ACT};
    if (!a->failures)
        return;
    fputs("\n## Failed runs\n\n| model | data | row | seed | failure | reason |\n"
          "|:---|:---|:---|---:|:---|:---|\n",
          to);
    for (int i = 0; i < a->of->n_runs; i++) {
        const run_record *run = &a->of->runs[i];
        const row_record *row = &a->of->rows[run->row];
        if (run->state != RUN_FAILED && run->state != RUN_TIMEOUT)
            continue;
        for (int k = 0; k < 3; k++) {
            fputs("| ", to);
            page_put_markdown(to, row->specs[shown[k]]);
            putc(' ', to);
        }
        fprintf(to, "| %lld | ", (long long)run->seed);
        page_put_markdown(to, run->failure ? run->failure : compare_run_state_names[run->state]);
        fputs(" | ", to);
        page_put_markdown(to, run->reason);
        fputs(" |\n", to);
    }
}

static void put_mean(FILE *to, const standing *s)
{
    if (s && s->score.n)
        fprintf(to, "%.2f", 100 * s->score.mean);
    if (s && s->score.n > 1)
        fprintf(to, " \xC2\xB1 %.2f", 100 * s->score.sd);
    fputs(" | ", to);
}

/* The tables of both, line by line. */
static void put_beside(FILE *to, const analysis *a)
{
    static const char *const keys[] = {"what", "here", "there"};
    json_t *settings = report_beside_settings(a), *one;
    size_t at;
    fputs(
        "\n## Side by side\n\nMeans \xC2\xB1 s, the standard deviation over seeds. Nothing is tested between the two.\n",
        to);
    for (int head = 0; head < 2; head++) {
        fputs(head ? "|:---|:---|:---|\n" : "\n| what differs | ", to);
        for (const analysis *it = a; it && !head; it = it->with) {
            page_put_markdown(to, it->of->name);
            fputs(it->with ? " | " : " |\n", to);
        }
    }
    json_array_foreach(settings, at, one)
    {
        for (int k = 0; k < 3; k++) {
            fputs("| ", to);
            page_put_markdown(to, json_string_value(json_object_get(one, keys[k])));
            putc(' ', to);
        }
        fputs("|\n", to);
    }
    json_decref(settings);
    for (int k = 0; k < a->n_panels; k++) {
        beside b;
        if (!report_beside(a, k, &b))
            continue;
        fputs("\n| ", to);
        page_put_markdown(to, b.here->model);
        fputs(" on ", to);
        page_put_markdown(to, b.here->data_name);
        for (const analysis *it = a; it; it = it->with) {
            fputs(" | ", to);
            page_put_markdown(to, it->of->name);
        }
        fputs(" | difference |\n|:---|---:|---:|---:|\n", to);
        for (int i = 0; i < b.n; i++) {
            fputs("| ", to);
            page_put_markdown(to, b.rows[i].label);
            fputs(" | ", to);
            put_mean(to, b.rows[i].here);
            put_mean(to, b.rows[i].there);
            if (isfinite(report_beside_difference(&b.rows[i])))
                fprintf(to, "%+.2f", 100 * report_beside_difference(&b.rows[i]));
            fputs(" |\n", to);
        }
        free(b.rows);
    }
}

static void put_comparison(FILE *to, const analysis *a)
{
    fputs("# ", to);
    page_put_markdown(to, a->sentence);
    if (a->looked) {
        fputs("\n\n", to);
        page_put_markdown(to, a->looked);
    }
    fprintf(to, "\n\n%d runs, %d failed, %d not yet done.\n", a->runs, a->failures, a->unfinished);
    if (a->with)
        put_beside(to, a);
    for (int i = 0; i < a->n_panels; i++)
        put_panel(to, &a->panels[i]);
    put_failures(to, a);
    if (a->of->command) {
        fputs("\nMade by: ", to);
        page_put_markdown(to, a->of->command);
        putc('\n', to);
    }
}

void report_markdown(FILE *to, const analysis *a)
{
    for (const analysis *it = a; it; it = it->with) {
        put_comparison(to, it);
        fputs(it->with ? "\n" : "", to);
    }
}
