/* The report for spreadsheets: one line per run, numbers as they are, empty where there is none. */
#include "compare/report/formats.h"
#include "compare/figures.h"
#include "page/text.h"

#include <math.h>

static void put_number(FILE *to, double value)
{
    putc(',', to);
    if (isfinite(value))
        fprintf(to, "%.9g", value);
}

/* The figure that stands in a column, and its table; NULL: there are no more. */
static const figure *figure_in(int column, const figure **table)
{
    const figure *const tables[] = {compare_run_figures, compare_epoch_figures,
                                    compare_layer_figures};
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
        for (const figure *f = *table = tables[i]; f->name; f++)
            if (f->csv == column)
                return f;
    return NULL;
}

/* Of a run, of its last epoch, and means over the layers then; with a NULL run their names. */
static void put_figures(FILE *to, const run_record *run)
{
    const epoch_record *last = run && run->n_epochs ? &run->epochs[run->n_epochs - 1] : NULL;
    const figure *f, *table, *before = compare_run_figures;
    for (int column = 1; (f = figure_in(column, &table)); before = table, column++) {
        if (table == compare_epoch_figures && before == compare_run_figures)
            run ? fprintf(to, ",%d", run->n_epochs) : fputs(",epochs", to);
        if (!run)
            fprintf(to, ",%s", f->report_name ? f->report_name : f->name);
        else if (table == compare_layer_figures)
            put_number(to, report_run_mean(run, f->offset));
        else if (table == compare_run_figures)
            put_number(to, compare_figure_value(f, run));
        else
            put_number(to, last ? compare_figure_value(f, last) : (double)NAN);
    }
}

/* Of the run's row, an index into the results'. */
static void put_verdict(FILE *to, const analysis *a, int row)
{
    char reason[200];
    for (const panel *p = a->panels; p < a->panels + a->n_panels; p++)
        for (int i = 0; i < p->n_standings; i++)
            if (p->rows[p->standings[i].row].record == &a->of->rows[row]) {
                const standing *s = &p->standings[i];
                fprintf(to, ",%s,%s,", s->letters, report_verdict_name(s->verdict));
                page_put_csv(to, report_verdict_reason(p, s, reason, sizeof reason));
                return;
            }
    fputs(",,,", to);
}

/* Columns keep their place: what is newer comes last. */
static bool is_newer(int k)
{
    return k == AXIS_DOCTOR || k == AXIS_WEIGHT_NORM;
}

void report_csv(FILE *to, const analysis *a)
{
    for (int k = 0; k < AXES; k++)
        if (!is_newer(k))
            fprintf(to, "%s,", compare_axis_names[k]);
    fputs("seed,tuning,rate,state,failure,reason", to);
    put_figures(to, NULL);
    fputs(",parameters,multiply_adds,attempts,letters,verdict,not_tested,treatment,weight_norm\r\n",
          to);
    for (int i = 0; i < a->of->n_runs; i++) {
        const run_record *run = &a->of->runs[i];
        const row_record *row = &a->of->rows[run->row];
        for (int k = 0; k < AXES; k++) {
            if (is_newer(k))
                continue;
            page_put_csv(to, row->specs[k]);
            putc(',', to);
        }
        fprintf(to, "%lld,%d", (long long)run->seed, run->tuning);
        put_number(to, isfinite(run->rate) ? run->rate : row->rate);
        fprintf(to, ",%s,", compare_run_state_names[run->state]);
        page_put_csv(to, run->failure);
        putc(',', to);
        page_put_csv(to, run->reason);
        put_figures(to, run);
        fprintf(to, ",%lld,%lld,%d", (long long)row->parameters, (long long)row->multiply_adds,
                run->attempts);
        put_verdict(to, a, run->row);
        putc(',', to);
        page_put_csv(to, row->specs[AXIS_DOCTOR]);
        putc(',', to);
        page_put_csv(to, row->specs[AXIS_WEIGHT_NORM]);
        fputs("\r\n", to);
    }
}
