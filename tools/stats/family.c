/* family.c - all pairs of rows as one family of tests.
 *
 * Which row is the same as which is never anything: if a = b and b = c, then a = c. Shaffer 1986
 * ("Modified sequentially rejective multiple test procedures", Journal of the American Statistical
 * Association 81) uses this: tests are rejected one after the other, and each is held against the sets
 * of hypotheses that can still be true together. Here those sets share the level unevenly, since the
 * pairs with the baseline are what is asked first.
 *
 * Let n rows be compared with the baseline, of which x are in truth equal to it. Then x pairs with the
 * baseline are true, the x (x - 1) / 2 pairs among those rows, and of the pairs among the n - x others
 * at most all. Of the level, each pair of the others gets 1 / (n (n - 1) / 2), each pair among the x
 * a small share of that (see inside()), and the x pairs with the baseline share what is left. x is not
 * known, so a test is held at the lowest level that it has for any x that is still possible: x is at
 * most n less the rows that were told from the baseline, and below n once any pair was told apart; and a
 * row told from the baseline is not one of the x. Where all were told from it, the pairs that are left
 * share the level equally, as in Holm's procedure.
 *
 * The x pairs share it as Sidak has it (1967, "Rectangular confidence regions for the means of
 * multivariate normal distributions", Journal of the American Statistical Association 62): each is tried
 * at a, where (1 - a)^x = 1 - what they have together. Here this holds for every test: given the
 * baseline's scores, and what a seed does to all rows, the rows that are like the baseline are
 * independent of each other and alike. Each is then kept with the same probability q, all with q^x, and
 * the mean of q^x is at least the mean of q, to the power of x (Jensen 1906).
 *
 * Proof: as long as only false hypotheses were rejected, the true x is among those that are possible,
 * so each true hypothesis is held at its level for that x or at a lower one; the chances of a wrong
 * rejection add up to the level at most, by Bonferroni between those x pairs together and each of the
 * others. Levels only grow as tests are rejected (Goeman and Solari 2010, "The sequential rejection
 * principle of familywise error control", Annals of Statistics 38, theorem 1). Where rows are equal in
 * mean and differ otherwise, so that Sidak's sharing may not hold, Bonferroni's for all of them does: the
 * level is then 0.0513 at most, -log(1 - 0.05). */
#include "stats.h"

#include <stdlib.h>

typedef struct pair {
    int i, j;
    double p;
    bool rejected;
} pair;

/* Of each kind those that are left are tried by their p. */
typedef enum kind { WITH_BASELINE, MAY_EQUAL_IT, OTHERS, KINDS } kind;

typedef struct family {
    pair *pairs; /* sorted by p */
    int n, baseline, challengers;
    bool *told;       /* [rows]: from the baseline */
    int n_told, left; /* left: pairs without the baseline that are not rejected */
    bool any;         /* pair is rejected */
    int from[KINDS];  /* the first pair of the kind that is left stands here or later */
} family;

static double pairs_of(double n)
{
    return n * (n - 1) / 2;
}

/* What Sidak's sharing leaves where each of n rows is tried against the baseline at 1 / n of the level, as if
 * nothing else were asked: 0.021 for seven. So the other pairs cost those nothing. */
static double inside(double n)
{
    return 1 - (1 - pow(1 - SIGNIFICANCE / n, n)) / SIGNIFICANCE;
}

/* How many rows can equal the baseline, still. */
static int most_equal(const family *f)
{
    return f->challengers - (f->n_told ? f->n_told : f->any);
}

/* The share of the level at which a pair of this kind is tried. */
static double share(const family *f, kind k)
{
    const double n = f->challengers, all = fmax(pairs_of(n), 1);
    const int most = most_equal(f);
    double least = 1;
    if (k != WITH_BASELINE)
        return most < 1 ? 1.0 / f->left : (k == MAY_EQUAL_IT ? inside(n) : 1) / all;
    for (int x = 1; x <= most; x++) {
        const double together = 1 - (pairs_of(n - x) + inside(n) * pairs_of(x)) / all;
        least = fmin(least, (1 - pow(1 - SIGNIFICANCE * together, 1.0 / x)) / SIGNIFICANCE);
    }
    return least;
}

static kind kind_of(const family *f, const pair *it)
{
    if (it->i == f->baseline || it->j == f->baseline)
        return WITH_BASELINE;
    return most_equal(f) < 2 || f->told[it->i] || f->told[it->j] ? OTHERS : MAY_EQUAL_IT;
}

/* The first of the kind that is left; NULL: none is. */
static pair *first_left(family *f, kind k)
{
    int *at = &f->from[k];
    while (*at < f->n && (f->pairs[*at].rejected || kind_of(f, &f->pairs[*at]) != k))
        ++*at;
    return *at < f->n ? &f->pairs[*at] : NULL;
}

static void reject(family *f, pair *it)
{
    const bool with_baseline = it->i == f->baseline || it->j == f->baseline;
    if (with_baseline || !f->any)
        f->from[OTHERS] = 0; /* pairs may become of this kind */
    it->rejected = f->any = true;
    f->left -= !with_baseline;
    f->n_told += with_baseline;
    if (with_baseline)
        f->told[it->i == f->baseline ? it->j : it->i] = true;
}

/* Rejects one after the other, whichever is the first as the level rises. */
static void step_down(family *f, int rows, double *adjusted, double *level)
{
    double least = 0;
    for (int step = 0; step < f->n; step++) {
        pair *next = NULL;
        double lowest = HUGE_VAL;
        for (kind k = 0; k < KINDS; k++) {
            pair *it = first_left(f, k);
            double wanted = it ? it->p / share(f, k) : HUGE_VAL;
            if (it && (!next || wanted < lowest)) {
                next = it;
                lowest = wanted;
            }
        }
        if (least <= SIGNIFICANCE)
            *level = SIGNIFICANCE * share(f, WITH_BASELINE);
        least = fmax(least, fmin(1, lowest));
        adjusted[next->i * rows + next->j] = least;
        reject(f, next);
    }
}

static int by_p(const void *a, const void *b)
{
    const pair *x = a, *y = b;
    return x->p != y->p ? (x->p > y->p) - (x->p < y->p) : x->i != y->i ? x->i - y->i : x->j - y->j;
}

bool stats_family_adjust(const double *p, int rows, int baseline, double *adjusted, double *level)
{
    const size_t most = (size_t)rows * (size_t)rows;
    family f = {.baseline = baseline,
                .pairs = malloc((most ? most : 1) * sizeof *f.pairs),
                .told = calloc((size_t)rows + 1, sizeof *f.told)};
    const bool done = f.pairs && f.told;
    *level = UNKNOWN;
    for (size_t at = 0; at < most; at++)
        adjusted[at] = UNKNOWN;
    for (int i = 0; done && i < rows; i++)
        for (int j = i + 1; j < rows; j++)
            if (!isnan(p[i * rows + j]))
                f.pairs[f.n++] = (pair){i, j, p[i * rows + j], false};
    for (int at = 0; at < f.n; at++)
        *(kind_of(&f, &f.pairs[at]) == WITH_BASELINE ? &f.challengers : &f.left) += 1;
    if (done) {
        qsort(f.pairs, (size_t)f.n, sizeof *f.pairs, by_p);
        step_down(&f, rows, adjusted, level);
    }
    free(f.pairs);
    free(f.told);
    return done;
}
