/* What --quantise took from the rows: the same nets before and after, seed by seed. */
#include "compare/report/quantised.h"
#include "compare/figures.h"
#include "compare/report/parts.h"
#include "memory.h"
#include "page/text.h"
#include "table.h"

#include <math.h>
#include <stdlib.h>

typedef struct quantised_row {
    const row_view *row;
    double score;        /* mean of the quantised nets */
    sample_summary lost; /* score before less score after, of the same net */
    double p_adjusted;   /* by Holm, over all rows; NAN: the baseline, or too few seeds */
    double constant;     /* mean share of units that became constant */
} quantised_row;

/* Of the panel's seeds, what the net of each lost; NAN where its run failed. */
static void take_losses(const panel *p, int row, double *lost)
{
    const row_view *view = &p->rows[row];
    for (int s = 0; s < p->seeds; s++) {
        lost[s] = UNKNOWN;
        for (int i = 0; i < view->n_runs; i++)
            if (view->runs[i].seed == p->seed_list[s] && view->runs[i].state == RUN_OK)
                lost[s] = compare_run_score(&view->runs[i]) - view->runs[i].quantised_score;
    }
}

/* Where both are known: a and b, of as many as are returned. */
static int take_pairs(const double *lost, const double *baseline, int seeds, double *a, double *b)
{
    int n = 0;
    for (int s = 0; s < seeds; s++)
        if (isfinite(lost[s]) && isfinite(baseline[s])) {
            a[n] = lost[s];
            b[n++] = baseline[s];
        }
    return n;
}

static void fill_row(quantised_row *out, const row_view *row)
{
    int n = 0;
    out->row = row;
    for (int i = 0; i < row->n_runs; i++)
        if (isfinite(row->runs[i].quantised_score)) {
            out->score += row->runs[i].quantised_score;
            out->constant += row->runs[i].quantised_constant;
            n++;
        }
    out->score /= n;
    out->constant /= n;
}

/* In the order of rank, those that were quantised; to be freed. */
static quantised_row *quantised_rows(const panel *p, int *n_out)
{
    quantised_row *out = calloc((size_t)p->n_rows + 1, sizeof *out);
    const size_t rows = (size_t)p->n_rows, seeds = (size_t)p->seeds;
    double *memory = calloc(4 * seeds + 2 * rows + 1, sizeof *memory);
    if (!memory || !out)
        tool_out_of_memory();
    double *baseline = memory, *lost = baseline + seeds, *a = lost + seeds, *b = a + seeds;
    double *found = b + seeds, *adjusted = found + rows;
    int n = 0;
    take_losses(p, p->baseline, baseline);
    for (int i = 0; i < p->n_ranked; i++) {
        const int row = p->standings[i].row;
        take_losses(p, row, lost);
        const int own = take_pairs(lost, lost, p->seeds, a, b);
        if (!own)
            continue;
        out[n] = (quantised_row){.lost = stats_sample_summarize(a, own)};
        fill_row(&out[n], &p->rows[row]);
        const int pairs = take_pairs(lost, baseline, p->seeds, a, b);
        const bool tested = row != p->baseline && pairs >= FEWEST_SEEDS;
        found[n++] = tested ? stats_paired_p(a, b, pairs) : UNKNOWN;
    }
    stats_holm_adjust(found, n, adjusted);
    for (int i = 0; i < n; i++)
        out[i].p_adjusted = adjusted[i];
    free(memory);
    *n_out = n;
    return out;
}

static const char explanation[] =
    "points of %s that the same net lost, seed by seed, mean and its 95 %% interval; p: paired t "
    "tests of what rows lost against what the baseline lost, corrected for their number (Holm)";

void report_quantised_print(const panel *p)
{
    static const char *const names[] = {
        "<activation", "quantised", "lost", "<95 % interval", "p", "become constant %", NULL};
    int n;
    quantised_row *rows = quantised_rows(p, &n);
    char text[512], value[32];
    if (n) {
        putchar('\n');
        snprintf(text, sizeof text, explanation, p->score_name);
        tool_put_wrapped(stdout, text, 0);
        tool_table *t = tool_table_new(names);
        for (const quantised_row *r = rows; r < rows + n; r++) {
            tool_table_cell(t, "%s", r->row->label);
            tool_table_cell(t, "%.2f %%", 100 * r->score);
            tool_table_cell(t, "%.2f", 100 * r->lost.mean);
            if (isfinite(r->lost.low))
                tool_table_cell(t, "%.2f to %.2f", 100 * r->lost.low, 100 * r->lost.high);
            else
                tool_table_cell(t, "-");
            report_p_text(r->p_adjusted, value, sizeof value);
            tool_table_cell(t, "%s", isfinite(r->p_adjusted) ? value : "-");
            tool_table_cell(t, "%.2f", 100 * r->constant);
        }
        tool_table_print(stdout, t, 0, NULL);
    }
    free(rows);
}

void report_part_quantised(FILE *to, const panel *p)
{
    static const page_column columns[] = {
        {"row", ""},
        {"quantised", "number"},
        {"lost, points", "number"},
        {"from", "number"},
        {"to", "number"},
        {"p", "number"},
        {"become constant, %", "number"},
    };
    int n;
    quantised_row *rows = quantised_rows(p, &n);
    char text[512], value[32];
    if (n) {
        snprintf(text, sizeof text, explanation, p->score_name);
        page_heading(to, "Quantised", text);
        page_table(to, "What quantisation took", "", columns, sizeof columns / sizeof *columns);
        for (const quantised_row *r = rows; r < rows + n; r++) {
            page_row(to);
            fputs("<td>", to);
            page_dot(to, report_row_class(r->row));
            page_put_html(to, r->row->label, CAPTION_LETTERS);
            page_percent_cell(to, "number", r->score, 2);
            page_numbers(to, 2, 100 * r->lost.mean, 100 * r->lost.low, 100 * r->lost.high);
            report_p_text(r->p_adjusted, value, sizeof value);
            fprintf(to, "<td class=\"number\">%s", isfinite(r->p_adjusted) ? value : "");
            page_numbers(to, 2, 100 * r->constant);
        }
        page_table_end(to);
    }
    free(rows);
}
