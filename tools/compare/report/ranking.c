/* The leaderboard in columns: beside each mean its interval, the test against the baseline, and the
 * letters, which two rows have in common that are not told apart. */
#include "compare/report/formats.h"
#include "compare/report/quantised.h"
#include "output.h"
#include "table.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static bool is_tuned(const panel *of)
{
    bool is = false;
    for (int i = 0; i < of->n_rows; i++)
        is = is || isfinite(of->rows[i].record->rate);
    return is;
}

/* Whether every row has epochs so short that milliseconds are the better unit. */
static bool is_short(const panel *of)
{
    bool is = true;
    for (int i = 0; i < of->n_rows; i++)
        is = is && !(of->rows[i].epoch_seconds >= 10);
    return is;
}

/* Digits behind the point; a dash where there is no number. */
static void put_figure(tool_table *t, int digits, double value)
{
    if (isfinite(value))
        tool_table_cell(t, "%.*f", digits, value);
    else
        tool_table_cell(t, "-");
}

static void put_score(tool_table *t, const sample_summary *s)
{
    if (isfinite(s->sd))
        tool_table_cell(t, "%6.2f %% +- %.2f", 100 * s->mean, 100 * s->sd);
    else
        s->n ? tool_table_cell(t, "%6.2f %%", 100 * s->mean) : tool_table_cell(t, "-");
    if (isfinite(s->low))
        tool_table_cell(t, "%.2f to %.2f", 100 * s->low, 100 * s->high);
    else
        tool_table_cell(t, "-");
}

static void put_row(tool_table *t, const panel *of, const standing *s)
{
    const row_view *row = &of->rows[s->row];
    char p[32] = "-", text[200];
    if (isfinite(s->p_adjusted))
        report_p_text(s->p_adjusted, p, sizeof p);
    tool_table_cell(t, "%d", s->rank);
    tool_table_cell(t, "%s", row->label);
    put_score(t, &s->score);
    if (s->verdict != VERDICT_BASELINE && isfinite(s->against.difference))
        tool_table_cell(t, "%+.2f", 100 * s->against.difference);
    else
        tool_table_cell(t, "-");
    tool_table_cell(t, "%s", p);
    tool_table_cell(t, "%s", *s->letters ? s->letters : "-");
    put_figure(t, 1, is_short(of) ? 1000 * row->epoch_seconds : row->epoch_seconds);
    put_figure(t, 1, 100 * report_dead_share(of, row));
    tool_table_cell(t, "%s", row->record->parameters ? tool_grouped(row->record->parameters) : "-");
    if (is_tuned(of))
        tool_table_cell(t, "%.3g", row->record->rate);
    report_verdict_write(of, s, text, sizeof text);
    tool_table_cell(t, "%s", text);
}

static void put_panel(const panel *of)
{
    char title[1024], score[64];
    snprintf(title, sizeof title, "%s, %.400s: %s %s over %d seed%s, mean +- standard deviation",
             of->data_name, of->model, of->score_of, of->score_name, of->seeds,
             of->seeds == 1 ? "" : "s");
    snprintf(score, sizeof score, "<%s", of->score_name);
    const char *const names[] = {"rank",
                                 "<activation",
                                 score,
                                 "<95 % interval",
                                 "difference",
                                 "p",
                                 "<letters",
                                 is_short(of) ? "ms/epoch" : "s/epoch",
                                 report_dead_column(of).name,
                                 "parameters",
                                 is_tuned(of) ? "lr chosen" : "<against the baseline",
                                 is_tuned(of) ? "<against the baseline" : NULL,
                                 NULL};
    putchar('\n');
    tool_put_wrapped(stdout, title, 0);
    if (isfinite(of->floor))
        printf("floor: %.2f %%, %s\n", 100 * of->floor, of->floor_name);
    tool_table *t = tool_table_new(names);
    for (int i = 0; i < of->n_ranked; i++)
        put_row(t, of, &of->standings[i]);
    tool_table_print(stdout, t, 0, NULL);
    if (of->sentence)
        tool_put_wrapped(stdout, of->sentence, 0);
}

/* Of a stream: is a row worse at new tasks than it was? */
static void put_aging(const panel *of)
{
    static const char *const names[] = {"<row", "early",    "late", "difference",
                                        "p",    "<verdict", NULL};
    if (!of->is_stream)
        return;
    puts("\nonline accuracy over the last tenth of the tasks against the first");
    tool_table *t = tool_table_new(names);
    for (int i = 0; i < of->n_ranked; i++) {
        const row_view *row = &of->rows[of->standings[i].row];
        char p[32] = "-";
        if (isfinite(row->aging_p))
            report_p_text(row->aging_p, p, sizeof p);
        tool_table_cell(t, "%s", row->label);
        put_figure(t, 2, 100 * row->early);
        put_figure(t, 2, 100 * (row->early + row->aging.difference));
        put_figure(t, 2, 100 * row->aging.difference);
        tool_table_cell(t, "%s", p);
        tool_table_cell(t, "%s", report_aging_name(row));
    }
    tool_table_print(stdout, t, 0, NULL);
}

/* The first failure of each row, and what was printed last. */
static void put_failures(const row_view *row)
{
    int failures = 0;
    const run_record *first = NULL;
    for (int i = 0; i < row->n_runs; i++)
        if (row->runs[i].state == RUN_FAILED || row->runs[i].state == RUN_TIMEOUT) {
            first = first ? first : &row->runs[i];
            failures++;
        }
    if (!first)
        return;
    fputs("failed: ", stdout);
    tool_put_text(stdout, row->label);
    printf(", %d of %d runs: ", failures, row->n_runs);
    tool_put_text(stdout, first->failure ? first->failure : "unknown");
    fputs(", ", stdout);
    tool_put_text(stdout, first->reason ? first->reason : "");
    const char *lines = first->last_lines ? first->last_lines : "";
    const char *last = strrchr(lines, '\n');
    if (*lines) {
        fputs("; last output: ", stdout);
        tool_put_text(stdout, last ? last + 1 : lines);
    }
    putchar('\n');
}

/* Runs that ended well and answer the same for all samples. */
static void put_constant(const row_view *row)
{
    int n = 0;
    const run_record *first = NULL;
    for (int i = 0; i < row->n_runs; i++)
        if (*row->runs[i].constant) {
            first = first ? first : &row->runs[i];
            n++;
        }
    if (!first)
        return;
    char reason[192];
    compare_constant_reason(first->constant, reason, sizeof reason);
    fputs("constant: ", stdout);
    tool_put_text(stdout, row->label);
    printf(", %d of %d runs give ", n, row->n_runs);
    tool_put_text(stdout, reason);
    putchar('\n');
}

void report_ranking_print(const analysis *of)
{
    if (of->of->most)
        printf("\nseeds were added until all was decided, %lld at most; p holds at any moment\n",
               (long long)of->of->most);
    for (int i = 0; i < of->n_panels; i++) {
        put_panel(&of->panels[i]);
        put_aging(&of->panels[i]);
        report_quantised_print(&of->panels[i]);
        for (int k = 0; k < of->panels[i].n_rows; k++)
            put_failures(&of->panels[i].rows[k]);
        for (int k = 0; k < of->panels[i].n_rows; k++)
            put_constant(&of->panels[i].rows[k]);
    }
    if (of->looked)
        tool_put_wrapped(stdout, of->looked, 0);
}
