/* A stream of tasks: is a row worse at new tasks late than early, and what is left in it to learn with. */
#include "compare/report/parts.h"
#include "page/text.h"

#include <math.h>
#include <stdlib.h>

/* ---- Late against early ------------------------------------------------------------------------- */

static void find_aging_of(row_view *row, double *late, double *early)
{
    double sum = 0;
    int n = 0;
    for (int i = 0; i < row->n_averaged; i++) {
        const run_record *run = row->averaged[i];
        if (!isfinite(run->late_accuracy) || !isfinite(run->early_accuracy))
            continue;
        late[n] = run->late_accuracy;
        early[n] = run->early_accuracy;
        sum += early[n++];
    }
    row->early = n ? sum / n : UNKNOWN;
    row->aging = stats_paired_compare(late, early, n, SIGNIFICANCE);
}

bool report_find_aging(analysis *a, panel *p)
{
    size_t most = (size_t)p->n_rows;
    for (int i = 0; i < p->n_rows; i++)
        most = (size_t)p->rows[i].n_averaged > most ? (size_t)p->rows[i].n_averaged : most;
    double *space = report_analysis_take_unknown(a, 2 * most);
    for (int i = 0; space && p->is_stream && i < p->n_rows; i++)
        find_aging_of(&p->rows[i], space, space + most);
    for (int i = 0; space && i < p->n_rows; i++)
        space[i] =
            p->is_stream && p->rows[i].aging.n >= FEWEST_SEEDS ? p->rows[i].aging.p : UNKNOWN;
    if (space)
        stats_holm_adjust(space, p->n_rows, space + most);
    for (int i = 0; space && i < p->n_rows; i++)
        p->rows[i].aging_p = space[most + (size_t)i];
    return space;
}

const char *report_aging_name(const row_view *row)
{
    return isnan(row->aging_p)           ? "not tested"
           : row->aging_p > SIGNIFICANCE ? "not shown"
           : row->aging.difference < 0   ? "lost"
                                         : "gained";
}

/* ---- The page ----------------------------------------------------------------------------------- */

static const course *kept(const row_view *row)
{
    return &row->kept;
}

static const course *rank_of(const row_view *row)
{
    return &row->rank;
}

static const course *magnitude(const row_view *row)
{
    return &row->magnitude;
}

static const course *learning(const row_view *row)
{
    return &row->learning;
}

static bool is_measured(const drawn *d, const course *(*what)(const row_view *))
{
    for (int i = 0; i < d->n; i++)
        for (int e = 0; e < d->rows[i]->n_epochs; e++)
            if (isfinite(what(d->rows[i])->mean[e]))
                return true;
    return false;
}

static void put_aging(FILE *to, const panel *p)
{
    static const page_column columns[] = {
        {"row", ""},
        {"early %", "number"},
        {"late %", "number"},
        {"difference", "number"},
        {"95 % interval", "number"},
        {"p", "number"},
        {"verdict", ""},
    };
    page_table(to, "Late against early accuracy", "", columns, sizeof columns / sizeof *columns);
    for (int i = 0; i < p->n_ranked; i++) {
        const row_view *row = &p->rows[p->standings[i].row];
        const paired_test *t = &row->aging;
        char number[32];
        page_row(to);
        page_text_cell(to, row->label);
        page_numbers(to, 2, 100 * row->early, 100 * (row->early + t->difference),
                     100 * t->difference);
        snprintf(number, sizeof number, "%.2f to %.2f", 100 * t->low, 100 * t->high);
        fprintf(to, "<td class=\"number\">%s", isfinite(t->low) ? number : "\xE2\x80\x93");
        report_p_text(row->aging_p, number, sizeof number);
        fprintf(to, "<td class=\"number\">%s", number);
        page_text_cell(to, report_aging_name(row));
        putc('\n', to);
    }
    page_table_end(to);
}

static double last_of(const row_view *row, const course *it)
{
    return row->n_epochs ? it->mean[row->n_epochs - 1] : UNKNOWN;
}

static void put_numbers(FILE *to, const panel *p)
{
    static const page_column columns[] = {
        {"row", ""},        {"learning % first", "number"},
        {"last", "number"}, {"effective rank first", "number"},
        {"last", "number"}, {"mean |w| first", "number"},
        {"last", "number"},
    };
    page_details(to, "Plasticity after the first and the last task, in numbers");
    page_table(to, "Means over seeds", "", columns, sizeof columns / sizeof *columns);
    for (int i = 0; i < p->n_rows; i++) {
        const row_view *row = &p->rows[i];
        if (!row->n_epochs)
            continue;
        page_row(to);
        page_text_cell(to, row->label);
        page_numbers(to, 1, 100 * *row->learning.mean, 100 * last_of(row, &row->learning));
        page_numbers(to, 1, *row->rank.mean, last_of(row, &row->rank));
        page_numbers(to, 4, *row->magnitude.mean, last_of(row, &row->magnitude));
        putc('\n', to);
    }
    page_table_end(to);
    page_details_end(to);
}

void report_part_stream(FILE *to, const panel *p, const drawn *d)
{
    static const struct {
        const char *title;
        bool percent;
        const course *(*what)(const row_view *);
    } charts[] = {{"Accuracy on held-out images of the task", true, kept},
                  {"Units that learn", true, learning},
                  {"Effective rank of the last hidden layer", false, rank_of},
                  {"Mean weight magnitude", false, magnitude}};
    if (!p->is_stream || !d->n)
        return;
    page_heading(
        to, "Plasticity",
        "Early and late are the mean online accuracy over the first and the last tenth of the "
        "tasks, each image answered before the net learned from it. The difference is tested "
        "by the paired t test over seeds, all rows as one family (Holm): lost, the net is worse "
        "at new tasks than it was; not shown is no proof that nothing was lost.");
    put_aging(to, p);
    page_grid_begin(to, GRID_WIDE);
    for (size_t i = 0; i < sizeof charts / sizeof *charts; i++)
        if (is_measured(d, charts[i].what))
            report_put_course(to, p, d, charts[i].title, charts[i].percent, false, charts[i].what);
    page_grid_end(to);
    put_numbers(to, p);
}
