/* leaderboard.c - all rows of a comparison: order, the primary test, groups of ties.
 *
 * Two families of tests, each Holm-corrected at 5 %. The primary one holds every row against the
 * baseline. Only where it rejected something are the other pairs tested: if all rows are equal, the
 * first family alone decides whether anything is claimed, and it errs in at most 5 % of sweeps. */
#include "stats.h"

#include <math.h>
#include <stdlib.h>

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

typedef struct table {
    const double *scores;      /* [rows, seeds] */
    int rows, seeds, baseline; /* the baseline's place in the order */
    standing *order;           /* [rows]; below, rows are named by their place in it */
    double *p, *adjusted;      /* [rows, rows]: of the pairs (i, j), i < j */
    double *a, *b;             /* [seeds]: what two rows have in common */
} table;

static void describe(table *board, int row)
{
    standing *s = &board->order[row];
    const double *scores = board->scores + (size_t)row * (size_t)board->seeds;
    int kept = 0;
    for (int i = 0; i < board->seeds; i++)
        if (!isnan(scores[i]))
            board->a[kept++] = scores[i];
    *s = (standing){.row = row,
                    .runs = board->seeds,
                    .failures = board->seeds - kept,
                    .score = stats_sample_summarize(board->a, kept),
                    .p_holm = UNKNOWN};
    s->verdict = s->failures ? VERDICT_FAILED : VERDICT_TIE;
}

static int by_standing(const void *a, const void *b)
{
    const standing *x = a, *y = b;
    double better = x->failures != y->failures       ? x->failures - y->failures
                    : x->score.mean != y->score.mean ? y->score.mean - x->score.mean
                                                     : x->score.sd - y->score.sd;
    return better > 0 ? 1 : better < 0 ? -1 : x->row - y->row;
}

/* Fills a and b with the scores of the seeds that both rows have. */
static int pair_up(table *board, int i, int j)
{
    const double *x = board->scores + (size_t)board->order[i].row * (size_t)board->seeds;
    const double *y = board->scores + (size_t)board->order[j].row * (size_t)board->seeds;
    int n = 0;
    for (int s = 0; s < board->seeds; s++) {
        if (isnan(x[s]) || isnan(y[s]))
            continue;
        board->a[n] = x[s];
        board->b[n++] = y[s];
    }
    return n;
}

/* Tests the pairs with the baseline (primary), or all others, of rows without failures. */
static void test_family(table *board, bool primary)
{
    int rows = board->rows;
    for (int i = 0; i < rows; i++)
        for (int j = 0; j < rows; j++) {
            bool tested = i < j && !board->order[i].failures && !board->order[j].failures &&
                          (i == board->baseline || j == board->baseline) == primary;
            board->p[i * rows + j] =
                tested ? stats_paired_p(board->a, board->b, pair_up(board, i, j)) : UNKNOWN;
        }
    stats_holm_adjust(board->p, rows * rows, board->adjusted);
}

static double adjusted_p(const table *board, int i, int j)
{
    return board->adjusted[i < j ? i * board->rows + j : j * board->rows + i];
}

/* What each row is against the baseline. Whether anything was found. */
static bool judge(table *board)
{
    int tests = -1;
    bool found = false;
    for (int i = 0; i < board->rows; i++)
        tests += !board->order[i].failures;
    for (int i = 0; i < board->rows; i++) {
        standing *s = &board->order[i];
        int n = pair_up(board, i, board->baseline);
        s->against = stats_paired_compare(board->a, board->b, i == board->baseline ? 0 : n, tests);
        s->p_holm = adjusted_p(board, i, board->baseline);
        if (s->p_holm <= SIGNIFICANCE) {
            s->verdict = s->against.difference > 0 ? VERDICT_BETTER : VERDICT_WORSE;
            found = true;
        }
    }
    if (board->order[board->baseline].verdict != VERDICT_FAILED)
        board->order[board->baseline].verdict = VERDICT_BASELINE;
    return found;
}

static bool differ(const table *board, int i, int j)
{
    if (i == board->baseline || j == board->baseline)
        return board->order[i == board->baseline ? j : i].p_holm <= SIGNIFICANCE;
    return adjusted_p(board, i, j) <= SIGNIFICANCE;
}

/* Each row joins the first group in which nothing differs significantly from it. */
static void group_ties(table *board)
{
    for (int place = 0; place < board->rows && !board->order[place].failures; place++) {
        int group = 1;
        for (int i = 0; i < place; i++)
            if (board->order[i].group == group && differ(board, i, place)) {
                group++;
                i = -1; /* from the first row again */
            }
        board->order[place].group = group;
    }
}

bool stats_leaderboard(const double *scores, int rows, int seeds, int baseline, standing *standings)
{
    size_t pairs = (size_t)rows * (size_t)rows, columns = (size_t)seeds;
    double *space = malloc((2 * pairs + 2 * columns) * sizeof *space);
    if (!space)
        return false;
    table board = {.scores = scores,
                   .rows = rows,
                   .seeds = seeds,
                   .order = standings,
                   .p = space,
                   .adjusted = space + pairs,
                   .a = space + 2 * pairs,
                   .b = space + 2 * pairs + columns};
    for (int row = 0; row < rows; row++)
        describe(&board, row);
    qsort(standings, (size_t)rows, sizeof *standings, by_standing);
    for (int i = 0; i < rows; i++) {
        bool equal = i > 0 && standings[i].failures == standings[i - 1].failures &&
                     standings[i].score.mean == standings[i - 1].score.mean;
        standings[i].rank = equal ? standings[i - 1].rank : i + 1;
    }
    while (standings[board.baseline].row != baseline)
        board.baseline++;
    test_family(&board, true);
    if (judge(&board))
        test_family(&board, false);
    group_ties(&board);
    free(space);
    return true;
}
