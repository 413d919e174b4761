/* Rows are put into panels, ranked and coloured here; labels.c has their names, rows.c the figures
 * of each. Memory is taken in blocks that are freed together. */
#include "compare/report/analysis.h"
#include "compare/figures.h"
#include "output.h"
#include "memory.h"
#include "page/page.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct block {
    struct block *next;
    max_align_t bytes[];
};

void *report_analysis_take(analysis *a, size_t n, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(n, size, &bytes) ||
        __builtin_add_overflow(bytes, sizeof(struct block), &bytes))
        return NULL;
    struct block *it = calloc(1, bytes);
    if (!it)
        return NULL;
    it->next = a->memory;
    a->memory = it;
    return it->bytes;
}

double *report_analysis_take_unknown(analysis *a, size_t n)
{
    double *it = report_analysis_take(a, n, sizeof *it);
    for (size_t i = 0; it && i < n; i++)
        it[i] = UNKNOWN;
    return it;
}

double report_run_mean(const run_record *run, size_t offset)
{
    const figure *f = &compare_layer_figures[compare_figure_index(compare_layer_figures, offset)];
    double sum = 0, units = 0;
    if (run->n_epochs == 0)
        return UNKNOWN;
    const epoch_record *last = &run->epochs[run->n_epochs - 1];
    for (int i = 0; i < last->n_layers; i++) {
        double value = compare_figure_value(f, &last->layers[i]), n = (double)last->layers[i].units;
        if (isfinite(value)) {
            sum += value * n;
            units += n;
        }
    }
    return units > 0 ? sum / units : UNKNOWN;
}

dead_column report_dead_column(const panel *p)
{
    bool has_new = false, has_old = false;
    for (int i = 0; i < p->n_rows; i++) {
        has_new = has_new || isfinite(p->rows[i].dead);
        has_old = has_old || isfinite(p->rows[i].never_positive);
    }
    return has_old && !has_new
               ? (dead_column){offsetof(layer_record, never_positive), "never above 0 %"}
               : (dead_column){offsetof(layer_record, dead), "dead %"};
}

double report_dead_share(const panel *p, const row_view *row)
{
    const bool is_old = report_dead_column(p).figure == offsetof(layer_record, never_positive);
    return is_old ? row->never_positive : row->dead;
}

void report_p_text(double p, char *out, size_t size)
{
    if (!isfinite(p))
        snprintf(out, size, "\xE2\x80\x93");
    else if (p >= 0.995)
        snprintf(out, size, "1");
    else
        snprintf(out, size,
                 p < 0.0001   ? "%.0e"
                 : p < 0.001  ? "%.4f"
                 : p < 0.0995 ? "%.3f"
                              : "%.2f",
                 p);
}

bool report_told_apart(const standing *a, const standing *b)
{
    for (const char *at = a->letters; *at; at += strspn(at + 1, "'") + 1) {
        const size_t length = 1 + strspn(at + 1, "'");
        for (const char *other = b->letters; *other; other += strspn(other + 1, "'") + 1)
            if (strncmp(at, other, length) == 0 && other[length] != '\'')
                return false;
    }
    return *a->letters && *b->letters;
}

/* ---- Which runs, which rows ------------------------------------------------------------------ */

/* The runs of a row lie together, those of tuning first, and so do the rows of one data set and model. */
static bool share_runs_and_rows(analysis *a, row_view *rows)
{
    for (int i = 0; i < a->of->n_runs; i++) {
        const run_record *run = &a->of->runs[i];
        row_view *row = &rows[run->row];
        if (!row->n_tuning && !row->n_runs)
            row->tuning = row->runs = run;
        row->n_tuning += run->tuning;
        row->runs += run->tuning;
        row->n_runs += !run->tuning;
    }
    a->panels = report_analysis_take(a, (size_t)a->of->n_rows, sizeof *a->panels);
    for (int i = 0; a->panels && i < a->of->n_rows; i++) {
        const row_record *row = rows[i].record;
        panel *p = a->n_panels ? &a->panels[a->n_panels - 1] : NULL;
        if (!p || strcmp(row->specs[AXIS_DATA], p->data) != 0 ||
            (!a->one_at_a_time && strcmp(row->specs[AXIS_MODEL], p->model) != 0)) {
            p = &a->panels[a->n_panels++];
            *p = (panel){
                .data = row->specs[AXIS_DATA], .model = row->specs[AXIS_MODEL], .rows = &rows[i]};
        }
        if (row->is_baseline)
            p->baseline = p->n_rows;
        p->n_rows++;
    }
    return a->panels != NULL;
}

/* ---- Standings ------------------------------------------------------------------------------- */

static bool is_final(run_state s)
{
    return s == RUN_OK || s == RUN_FAILED || s == RUN_TIMEOUT;
}

static const run_record *run_at(const row_view *row, int64_t seed)
{
    for (int i = 0; i < row->n_runs; i++)
        if (row->runs[i].seed == seed)
            return &row->runs[i];
    return NULL;
}

/* Pairing needs seeds that every row has run, well or not; others wait for the sweep to go on. */
static bool find_seeds(analysis *a, panel *p)
{
    const row_view *first = &p->rows[0];
    p->seed_list = report_analysis_take(a, (size_t)first->n_runs, sizeof *p->seed_list);
    if (!p->seed_list)
        return false;
    for (int i = 0; i < first->n_runs; i++) {
        int64_t seed = first->runs[i].seed;
        bool whole = true;
        for (int k = 0; k < p->n_rows && whole; k++) {
            const run_record *run = run_at(&p->rows[k], seed);
            whole = run && is_final(run->state);
        }
        if (whole)
            p->seed_list[p->seeds++] = seed;
    }
    return true;
}

/* Two rows whose trained nets are the same, weight by weight, at every seed: two names of one
 * activation, a normalization for a net that has none. */
static bool is_same_net(const panel *p, int a, int b)
{
    bool same = p->seeds > 0;
    for (int s = 0; s < p->seeds && same; s++) {
        const run_record *x = run_at(&p->rows[a], p->seed_list[s]);
        const run_record *y = run_at(&p->rows[b], p->seed_list[s]);
        same = x->state == RUN_OK && y->state == RUN_OK && *x->digest &&
               strcmp(x->digest, y->digest) == 0;
    }
    return same;
}

/* A row that stands for others is called by all their names. */
static bool find_same_nets(analysis *a, panel *p)
{
    p->same_net = report_analysis_take(a, (size_t)p->n_rows, sizeof *p->same_net);
    if (!p->same_net)
        return false;
    for (int k = 0; k < p->n_rows; k++) {
        int first = p->baseline;
        for (int i = 0; i < k && !is_same_net(p, first, k); i++)
            first = i;
        p->same_net[k] = k != p->baseline && is_same_net(p, first, k) ? first : k;
        row_view *stands = &p->rows[p->same_net[k]];
        if (p->same_net[k] != k &&
            !(stands->label = report_two_labels(a, stands->label, p->rows[k].label)))
            return false;
    }
    return true;
}

static void cut(double *low, double *high, double least)
{
    if (isfinite(*low)) {
        *low = fmax(*low, least);
        *high = fmin(*high, 1);
    }
}

/* Intervals end where scores do, and those of differences where differences do; R2 has no least value, and
 * its differences have neither. */
static void cut_intervals(standing *s, bool regression)
{
    cut(&s->score.low, &s->score.high, regression ? -HUGE_VAL : 0);
    if (regression)
        return;
    cut(&s->against.low, &s->against.high, -1);
    cut(&s->corrected_low, &s->corrected_high, -1);
    if (s->could_show > 1) /* then no difference of accuracies could be shown */
        s->could_show = UNKNOWN;
}

static bool rank_rows(analysis *a, panel *p)
{
    size_t seeds = (size_t)p->seeds;
    p->floor = UNKNOWN;
    p->scores = report_analysis_take_unknown(a, (size_t)p->n_rows * seeds);
    p->standings = report_analysis_take(a, (size_t)p->n_rows, sizeof *p->standings);
    if (!p->scores || !p->standings || !find_same_nets(a, p))
        return false;
    p->is_stream = report_is_stream(&p->rows[0]);
    p->score_of = p->is_stream ? "late" : "test";
    p->score_name = "accuracy";
    p->floor_name = "the share of the largest class";
    if (!p->seeds)
        return true;
    bool regression = false;
    for (int k = 0; k < p->n_rows; k++)
        for (size_t s = 0; s < seeds; s++) {
            const run_record *run = run_at(&p->rows[k], p->seed_list[s]);
            if (run->state == RUN_OK)
                p->scores[(size_t)k * seeds + s] = compare_run_score(run);
            regression = regression || isfinite(run->test_r2);
            p->floor = isnan(p->floor) ? run->test_floor : p->floor;
        }
    if (regression) {
        p->score_name = "R2";
        p->floor_name = "that of always answering the mean";
    }
    const score_table table = {.scores = p->scores,
                               .rows = p->n_rows,
                               .seeds = p->seeds,
                               .baseline = p->baseline,
                               .floor = p->floor,
                               .anytime = a->of->most > 0,
                               .same_net = p->same_net};
    if (!stats_leaderboard(&table, p->standings))
        return false;
    p->n_standings = p->n_rows;
    for (int i = 0; i < p->n_rows; i++) {
        cut_intervals(&p->standings[i], regression);
        p->n_ranked += p->standings[i].why != UNTESTED_SAME_NET;
    }
    return true;
}

static bool take_panel(analysis *a, panel *p)
{
    for (int k = 0; k < p->n_rows; k++)
        for (int i = 0; i < p->rows[k].n_runs; i++) {
            run_state state = p->rows[k].runs[i].state;
            p->unfinished += !is_final(state);
            a->failures += state == RUN_FAILED || state == RUN_TIMEOUT;
            a->runs++;
        }
    a->unfinished += p->unfinished;
    return find_seeds(a, p) && rank_rows(a, p) && report_find_aging(a, p) &&
           (p->sentence = report_sentence_new(p));
}

/* A label has one colour, dash and mark in the whole page; beyond SERIES labels they come again. */
static void give_colours_of(const analysis *a, const char **seen, int *n)
{
    for (int k = 0; k < a->n_panels; k++)
        for (int i = 0; i < a->panels[k].n_rows; i++) {
            row_view *row = &a->panels[k].rows[i];
            int at = 0;
            while (at < *n && strcmp(seen[at], row->label) != 0)
                at++;
            if (i == a->panels[k].baseline)
                continue;
            if (at == *n)
                seen[(*n)++] = row->label;
            row->colour = 1 + at % (SERIES - 1);
        }
}

static bool give_colours(analysis *a)
{
    const int rows = a->of->n_rows + (a->with ? a->with->of->n_rows : 0);
    const char **seen = report_analysis_take(a, (size_t)rows, sizeof *seen);
    int n = 0;
    if (!seen)
        return false;
    give_colours_of(a, seen, &n);
    if (a->with)
        give_colours_of(a->with, seen, &n);
    return true;
}

bool report_analysis_join(analysis *a, analysis *with)
{
    a->with = with;
    with->is_second = true;
    if (give_colours(a))
        return true;
    tool_no_memory();
    return false;
}

static bool has_finding(const panel *p)
{
    for (int i = 0; i < p->n_ranked; i++)
        for (int k = i + 1; k < p->n_ranked; k++)
            if (report_told_apart(&p->standings[i], &p->standings[k]))
                return true;
    return false;
}

/* Of several tables one may well show what is not there. */
static bool write_sentence(analysis *a)
{
    int found = 0, tested = 0;
    if (a->n_panels == 1) {
        a->sentence = strdup(a->panels[0].sentence);
        return a->sentence != NULL;
    }
    for (int i = 0; i < a->n_panels; i++) {
        const panel *p = &a->panels[i];
        found += has_finding(p);
        tested += p->n_ranked > 1 && *p->standings[0].letters && *p->standings[1].letters;
    }
    if (!tested)
        return asprintf(&a->sentence, "Nothing was tested in %d comparison%s.", a->n_panels,
                        a->n_panels == 1 ? "" : "s") >= 0;
    return asprintf(&a->sentence,
                    "A difference was found in %d of %d comparisons that were tested; if nothing "
                    "differed, chance alone would find one in %.2g of them on average.",
                    found, tested, SIGNIFICANCE * tested) >= 0;
}

enum { MOST_LOOKS = 12 };

/* "Looked at before, after 2 and 3 seeds: ...". */
static bool write_looked(analysis *a)
{
    const results *r = a->of;
    int64_t before[MOST_LOOKS] = {0};
    int n = 0;
    for (int i = 0; i < r->n_looks && n < MOST_LOOKS; i++) {
        bool known = r->looks[i].seeds == r->seeds;
        for (int k = 0; k < n && !known; k++)
            known = before[k] == r->looks[i].seeds;
        if (!known)
            before[n++] = r->looks[i].seeds;
    }
    if (!n || r->most) /* tests that allow it */
        return true;
    FILE *to = tool_memory_stream(&a->looked, NULL);
    fputs("Looked at before, after ", to);
    for (int i = 0; i < n; i++)
        fprintf(to, "%s%lld", i == 0 ? "" : i < n - 1 ? ", " : " and ", (long long)before[i]);
    fprintf(to, " seed%s: the 5 %% hold for one look, not for whichever shows most.",
            n == 1 && before[0] == 1 ? "" : "s");
    fclose(to);
    return true;
}

static bool fill(analysis *a)
{
    const results *r = a->of;
    row_view *rows = report_analysis_take(a, (size_t)r->n_rows, sizeof *rows);
    if (!rows)
        return false;
    for (int i = 0; i < r->n_rows; i++)
        rows[i].record = &r->rows[i];
    a->one_at_a_time = r->settings && strstr(r->settings, "\"" ONE_AT_A_TIME "\"");
    if (!share_runs_and_rows(a, rows))
        return false;
    report_name_data_sets(a);
    for (int i = 0; i < a->n_panels; i++) /* what varies only between panels does not count */
        for (int k = 0; k < a->panels[i].n_rows; k++)
            for (int x = AXIS_ACT; x < AXES; x++) {
                const char *spec = a->panels[i].rows[k].record->specs[x];
                const char *first = a->panels[i].rows[0].record->specs[x];
                const bool unknown =
                    strcmp(spec, OPTIMIZER_OF_MODEL) == 0 || strcmp(first, OPTIMIZER_OF_MODEL) == 0;
                a->varies[x] = a->varies[x] || (!unknown && strcmp(spec, first) != 0);
            }
    for (int i = 0; i < r->n_rows; i++) {
        rows[i].label = report_row_label(a, rows[i].record, AXES);
        rows[i].name = report_row_label(a, rows[i].record, AXIS_OPTIMIZER);
        if (!rows[i].label || !rows[i].name || !report_row_average(a, &rows[i]))
            return false;
    }
    for (int i = 0; i < a->n_panels; i++)
        if (!take_panel(a, &a->panels[i]))
            return false;
    return give_colours(a) && write_sentence(a) && write_looked(a);
}

analysis *report_analysis_new(const results *r)
{
    analysis *a = calloc(1, sizeof *a);
    if (a) {
        a->of = r;
        if (fill(a))
            return a;
        report_analysis_free(a);
    }
    tool_no_memory();
    return NULL;
}

void report_analysis_free(analysis *a)
{
    if (!a)
        return;
    for (int i = 0; i < a->n_panels; i++)
        free(a->panels[i].sentence);
    free(a->sentence);
    free(a->looked);
    for (struct block *next; a->memory; a->memory = next) {
        next = a->memory->next;
        free(a->memory);
    }
    free(a);
}
