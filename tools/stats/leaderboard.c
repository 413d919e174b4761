/* leaderboard.c - all rows of a comparison: their order, and the one place that decides what is said of
 * them. Rows that can be tested are one family (family.c), failed ones are described. */
#include "stats.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static int by_pointed(const void *a, const void *b)
{
    double x = **(const double *const *)a, y = **(const double *const *)b;
    return (x > y) - (x < y);
}

/* Holm 1979, "A simple sequentially rejective multiple test procedure", Scandinavian Journal of
 * Statistics 6: the smallest of m p values is multiplied by m, the next by m - 1, and so on; none may be
 * smaller than the one before. It needs no assumption on how the tests depend on each other, and rejects
 * whatever Bonferroni does. */
void stats_holm_adjust(const double *p, int n, double *adjusted)
{
    const double **order = malloc((size_t)(n > 0 ? n : 1) * sizeof *order);
    int tests = 0;
    for (int i = 0; i < n; i++) {
        adjusted[i] = UNKNOWN;
        if (order && !isnan(p[i]))
            order[tests++] = &p[i];
    }
    if (!order)
        return;
    qsort(order, (size_t)tests, sizeof *order, by_pointed);
    double least = 0;
    for (int i = 0; i < tests; i++) {
        least = fmax(least, fmin(1, (tests - i) * *order[i]));
        adjusted[order[i] - p] = least;
    }
    free(order);
}

/* ---- A leaderboard ---------------------------------------------------------------------------- */

typedef struct board {
    const score_table *of;
    standing *order;      /* [rows]; below, rows are named by their place in it */
    int tested;           /* so many, the first ones */
    int baseline;         /* the baseline's place */
    untested why;         /* no row is tested, or not against the baseline: why */
    double *p, *adjusted; /* [tested, tested]: of the pairs (i, j), i < j */
    bool *apart;          /* the same */
    double *a, *b;        /* [seeds]: what two rows have in common */
    double level;         /* of tests with the baseline that reject nothing */
} board;

static bool is_twin(const board *of, int row)
{
    return of->of->same_net && of->of->same_net[row] != row;
}

static void describe(board *of, int row)
{
    standing *s = &of->order[row];
    const int seeds = of->of->seeds;
    const double *scores = of->of->scores + (size_t)row * (size_t)seeds;
    int kept = 0;
    for (int i = 0; i < seeds; i++)
        if (!isnan(scores[i]))
            of->a[kept++] = scores[i];
    *s = (standing){.row = row,
                    .runs = seeds,
                    .failures = seeds - kept,
                    .score = stats_sample_summarize(of->a, kept),
                    .p_adjusted = UNKNOWN,
                    .could_show = UNKNOWN,
                    .corrected_low = UNKNOWN,
                    .corrected_high = UNKNOWN,
                    .verdict = VERDICT_NOT_TESTED};
    s->learned = isnan(of->of->floor) || kept < FEWEST_SEEDS || s->score.low > of->of->floor;
    s->why = is_twin(of, row) ? UNTESTED_SAME_NET : s->failures ? UNTESTED_FAILED : IS_TESTED;
}

static int by_standing(const void *a, const void *b)
{
    const standing *x = a, *y = b;
    const bool x_twin = x->why == UNTESTED_SAME_NET, y_twin = y->why == UNTESTED_SAME_NET;
    double better = x_twin != y_twin                 ? x_twin - y_twin
                    : x->failures != y->failures     ? x->failures - y->failures
                    : x->score.mean != y->score.mean ? y->score.mean - x->score.mean
                                                     : x->score.sd - y->score.sd;
    return better > 0 ? 1 : better < 0 ? -1 : x->row - y->row;
}

static void order_rows(board *of)
{
    const int rows = of->of->rows;
    qsort(of->order, (size_t)rows, sizeof *of->order, by_standing);
    for (int i = 0; i < rows; i++) {
        const standing *before = i ? &of->order[i - 1] : NULL;
        standing *s = &of->order[i];
        bool equal = before && s->why == before->why && s->failures == before->failures &&
                     s->score.mean == before->score.mean;
        s->rank = equal ? before->rank : i + 1;
        of->tested += s->why == IS_TESTED;
        if (s->row == of->of->baseline)
            of->baseline = i;
    }
}

/* Fills a and b with the scores of the seeds that both rows have. */
static int pair_up(board *of, int i, int j)
{
    const size_t seeds = (size_t)of->of->seeds;
    const double *x = of->of->scores + (size_t)of->order[i].row * seeds;
    const double *y = of->of->scores + (size_t)of->order[j].row * seeds;
    int n = 0;
    for (size_t s = 0; s < seeds; s++) {
        if (isnan(x[s]) || isnan(y[s]))
            continue;
        of->a[n] = x[s];
        of->b[n++] = y[s];
    }
    return n;
}

/* What keeps every row from a verdict. */
static untested obstacle(const board *of)
{
    bool some_learned = false;
    for (int i = 0; i < of->tested; i++)
        some_learned = some_learned || of->order[i].learned;
    return of->of->seeds < FEWEST_SEEDS                     ? UNTESTED_FEW_SEEDS
           : of->tested && !some_learned                    ? UNTESTED_NONE_LEARNED
           : of->order[of->baseline].why == UNTESTED_FAILED ? UNTESTED_BASELINE_FAILED
                                                            : IS_TESTED;
}

/* A family of tests, and what it tells apart. Rows that have not learned are no better than each
 * other. */
static bool test_pairs(board *of)
{
    const int n = of->tested;
    double (*const test)(const double *, const double *, int) =
        of->of->anytime ? stats_anytime_p : stats_paired_p;
    for (int i = 0; i < n; i++)
        for (int j = i; j < n; j++)
            of->p[i * n + j] = i < j ? test(of->a, of->b, pair_up(of, i, j)) : UNKNOWN;
    const bool done = stats_family_adjust(of->p, n, of->baseline < n ? of->baseline : -1,
                                          of->adjusted, &of->level);
    for (int i = 0; i < n; i++)
        for (int j = i + 1; j < n; j++)
            of->apart[i * n + j] = of->adjusted[i * n + j] <= SIGNIFICANCE &&
                                   (of->order[i].learned || of->order[j].learned);
    return done;
}

static void give_letters(board *of, char (*letters)[STATS_LETTERS])
{
    stats_letters(of->apart, of->tested, letters);
    for (int i = 0; i < of->tested; i++)
        memcpy(of->order[i].letters, letters[i], STATS_LETTERS);
}

/* The family multiplies p by what its level is less than the whole; where that ended at 1, it is the level of
 * those that reject nothing. */
static void correct_interval(const board *of, standing *s)
{
    const paired_test *t = &s->against;
    const double level =
        s->p_adjusted < 1 && t->p > 0 ? SIGNIFICANCE * t->p / s->p_adjusted : of->level;
    const double reach = stats_student_quantile(1 - level / 2, t->df) * t->sd / sqrt(t->n);
    if (!of->of->anytime && isfinite(reach) && t->sd > 0) {
        s->corrected_low = t->difference - reach;
        s->corrected_high = t->difference + reach;
    }
}

/* What each row is against the baseline. */
static void judge(board *of)
{
    const int n = of->tested, base = of->baseline;
    double effect = UNKNOWN; /* that could be shown, in deviations: the same for all */
    for (int i = 0; i < of->of->rows; i++) {
        standing *s = &of->order[i];
        s->against = stats_paired_compare(of->a, of->b, i == base ? 0 : pair_up(of, i, base),
                                          of->level > 0 ? of->level : SIGNIFICANCE);
        if (s->why == IS_TESTED && of->why)
            s->why = of->why;
        else if (s->why == IS_TESTED && i != base && !s->learned && !of->order[base].learned)
            s->why = UNTESTED_NEITHER_LEARNED;
        if (s->why != IS_TESTED || i == base)
            continue;
        const int at = i < base ? i * n + base : base * n + i;
        s->p_adjusted = of->adjusted[at];
        correct_interval(of, s);
        s->verdict = !of->apart[at]              ? VERDICT_NOT_SHOWN
                     : s->against.difference > 0 ? VERDICT_BETTER
                                                 : VERDICT_WORSE;
        if (s->verdict != VERDICT_NOT_SHOWN || of->of->anytime)
            continue;
        effect = isnan(effect) ? stats_effect_shown(s->against.n, of->level) : effect;
        s->could_show = s->against.sd > 0 ? effect * s->against.sd : UNKNOWN;
    }
    if (of->order[base].why != UNTESTED_FAILED) {
        of->order[base].verdict = VERDICT_BASELINE;
        of->order[base].why = IS_TESTED;
    }
}

bool stats_leaderboard(const score_table *table, standing *standings)
{
    const size_t rows = (size_t)table->rows, seeds = (size_t)table->seeds;
    board it = {.of = table, .order = standings, .level = UNKNOWN};
    double *space = malloc((2 * rows * rows + 2 * seeds + 1) * sizeof *space);
    char(*letters)[STATS_LETTERS] = malloc((rows + 1) * sizeof *letters);
    it.apart = malloc(rows * rows + 1);
    bool done = space && letters && it.apart;
    if (done) {
        it.p = space;
        it.adjusted = it.p + rows * rows;
        it.a = it.adjusted + rows * rows;
        it.b = it.a + seeds;
        for (int row = 0; row < table->rows; row++)
            describe(&it, row);
        order_rows(&it);
        it.why = obstacle(&it);
        if (it.why != UNTESTED_FEW_SEEDS && it.why != UNTESTED_NONE_LEARNED) {
            done = test_pairs(&it);
            give_letters(&it, letters);
        }
        judge(&it);
    }
    free(space);
    free(letters);
    free(it.apart);
    return done;
}
