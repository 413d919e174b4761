/* signed_rank.c - Wilcoxon's signed-rank test (Wilcoxon 1945, Biometrics 1), exact.
 *
 * Differences of 0 are dropped, as Wilcoxon did; equal sizes share their average rank. Under the
 * null hypothesis every sign is a fair coin, given the ranks: the distribution of the sum of
 * positive ranks is built up rank by rank (ranks doubled, so that averages are whole numbers).
 * It is therefore exact with ties too. */
#include "stats.h"

#include <math.h>
#include <stdlib.h>

#include "parts.h"

enum { FEWEST = 6, MOST_EXACT = 50 }; /* p is at least 2^(1 - 5) = 0.0625 of five differences */

static int by_size(const void *a, const void *b)
{
    double x = fabs(*(const double *)a), y = fabs(*(const double *)b);
    return (x > y) - (x < y);
}

/* Two-sided, from the distribution of the sum of doubled ranks that get a positive sign. */
static double exact_p(const int *doubled, int n, int positive)
{
    double chance[MOST_EXACT * (MOST_EXACT + 1) + 1] = {1};
    for (int i = 0, most = 0; i < n; i++) {
        most += doubled[i];
        for (int sum = most; sum >= 0; sum--)
            chance[sum] = (chance[sum] + (sum >= doubled[i] ? chance[sum - doubled[i]] : 0)) / 2;
    }
    double below = 0, above = 0;
    for (int sum = 0; sum <= n * (n + 1); sum++) {
        below += sum <= positive ? chance[sum] : 0;
        above += sum >= positive ? chance[sum] : 0;
    }
    return fmin(1, 2 * fmin(below, above));
}

/* The sum is near normal, with mean half and variance a quarter of the sum of squared ranks. */
static double normal_p(const int *doubled, int n, int positive)
{
    double mean = 0, variance = 0;
    for (int i = 0; i < n; i++) {
        mean += doubled[i] / 2.0;
        variance += (double)doubled[i] * doubled[i] / 4;
    }
    return 2 * stats_normal_cdf(-fabs(positive - mean) / sqrt(variance));
}

/* The sum of the doubled average ranks of positive differences. x holds no zeros and is sorted by
 * size; sizes within `rounding` are equal. */
static int rank_sizes(const double *x, int n, double rounding, int *doubled)
{
    int positive = 0;
    for (int from = 0, to; from < n; from = to) {
        for (to = from + 1; to < n && fabs(x[to]) - fabs(x[from]) <= rounding; to++)
            ;
        for (int i = from; i < to; i++) {
            doubled[i] = from + 1 + to; /* 2 * mean of from + 1 .. to */
            positive += x[i] > 0 ? doubled[i] : 0;
        }
    }
    return positive;
}

double stats_signed_rank_p(const double *a, const double *b, int n)
{
    double *x = n >= FEWEST ? malloc((size_t)n * sizeof *x) : NULL;
    int *doubled = n >= FEWEST ? malloc((size_t)n * sizeof *doubled) : NULL;
    double rounding = stats_score_rounding(a, b, n), p = UNKNOWN;
    int kept = 0;
    for (int i = 0; i < n && x; i++)
        if (fabs(a[i] - b[i]) > rounding)
            x[kept++] = a[i] - b[i];
    if (doubled && kept >= FEWEST) {
        qsort(x, (size_t)kept, sizeof *x, by_size);
        int positive = rank_sizes(x, kept, rounding, doubled);
        p = (kept <= MOST_EXACT ? exact_p : normal_p)(doubled, kept, positive);
    }
    free(doubled);
    free(x);
    return p;
}
