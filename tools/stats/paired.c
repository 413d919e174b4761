/* paired.c - two plugins on the same seeds: what differs is the plugin, so the differences are
 * tested, not the scores. Student 1908 (Biometrika 6); effect size d_z and power after Cohen 1988,
 * "Statistical power analysis for the behavioral sciences", chapter 2. */
#include "stats.h"

#include <math.h>
#include <stdlib.h>

static const double wanted_power = 0.8;
enum { MOST_SEEDS = 1000 };

double stats_score_rounding(const double *a, const double *b, int n)
{
    double largest = 0;
    for (int i = 0; i < n; i++)
        largest = fmax(largest, fmax(fabs(a[i]), fabs(b[i])));
    return SCORE_RESOLUTION * largest;
}

/* Of finding an effect (mean over deviation of the differences) with its right sign. */
static double power(double effect, int n, double alpha)
{
    double critical = stats_student_quantile(1 - alpha / 2, n - 1);
    return 1 - stats_noncentral_t_cdf(critical, n - 1, fabs(effect) * sqrt(n));
}

int stats_seeds_for_effect(double effect, double level)
{
    if (!(power(effect, MOST_SEEDS, level) >= wanted_power))
        return -1;
    int low = 1, high = MOST_SEEDS; /* low is too few, high is enough */
    while (high - low > 1) {
        int middle = (low + high) / 2;
        *(power(effect, middle, level) >= wanted_power ? &high : &low) = middle;
    }
    return high;
}

double stats_effect_shown(int n, double level)
{
    double low = 0, high = 1;
    if (n < 2 || !(level > 0))
        return UNKNOWN;
    while (power(high, n, level) < wanted_power)
        high *= 2;
    while (high - low > 1e-6 * high) {
        double middle = (low + high) / 2;
        *(power(middle, n, level) >= wanted_power ? &high : &low) = middle;
    }
    return high;
}

/* Mean and deviation of the differences, t and p; the rest is UNKNOWN. Differences that are all the
 * same number have no deviation, and t would be infinite from two seeds on: what can be said is that
 * all signs agree, probability 2^(1 - n) by chance. */
static paired_test test_differences(const double *a, const double *b, int n)
{
    paired_test test = {.n = n, .df = n - 1};
    test.difference = test.sd = test.low = test.high = UNKNOWN;
    test.t = test.p = test.cohen_d = test.wilcoxon_p = test.flip_p = test.correlation = UNKNOWN;
    double rounding = stats_score_rounding(a, b, n), sum = 0, squares = 0;
    for (int i = 0; i < n; i++)
        sum += a[i] - b[i];
    if (n > 0)
        test.difference = fabs(sum / n) <= rounding ? 0 : sum / n;
    if (n < 2)
        return test;
    for (int i = 0; i < n; i++)
        squares += (a[i] - b[i] - sum / n) * (a[i] - b[i] - sum / n);
    test.sd = sqrt(squares / (n - 1));
    if (test.sd <= rounding) {
        bool none = test.difference == 0;
        test.sd = 0;
        test.t = test.cohen_d = none ? 0 : UNKNOWN;
        test.p = none ? 1 : exp2(1 - n);
        return test;
    }
    test.cohen_d = test.difference / test.sd;
    test.t = test.cohen_d * sqrt(n);
    test.p = 2 * stats_student_cdf(-fabs(test.t), test.df);
    return test;
}

/* Pearson's. */
static double correlation(const double *a, const double *b, int n)
{
    double a_mean = 0, b_mean = 0, both = 0, a_squares = 0, b_squares = 0;
    for (int i = 0; i < n; i++) {
        a_mean += a[i] / n;
        b_mean += b[i] / n;
    }
    for (int i = 0; i < n; i++) {
        both += (a[i] - a_mean) * (b[i] - b_mean);
        a_squares += (a[i] - a_mean) * (a[i] - a_mean);
        b_squares += (b[i] - b_mean) * (b[i] - b_mean);
    }
    const double least =
        n * pow(stats_score_rounding(a, b, n), 2); /* below it, a and b are constant */
    return fmin(a_squares, b_squares) > least ? both / sqrt(a_squares * b_squares) : UNKNOWN;
}

double stats_paired_p(const double *a, const double *b, int n)
{
    return test_differences(a, b, n).p;
}

paired_test stats_paired_compare(const double *a, const double *b, int n, double level)
{
    paired_test test = test_differences(a, b, n);
    if (n < 2)
        return test;
    double half = stats_student_quantile(0.975, test.df) * test.sd / sqrt(n);
    test.low = test.difference - half;
    test.high = test.difference + half;
    test.wilcoxon_p = stats_signed_rank_p(a, b, n);
    test.flip_p = stats_sign_flip_p(a, b, n);
    test.correlation = correlation(a, b, n);
    if (n < 3)
        return test;
    /* A deviation from few values is often too small, so d is too large on average, by a quarter at
     * five seeds; the factor corrects it (Hedges 1981, J. Educational Statistics 6). Without it the
     * seeds recommended after a short sweep would find the difference in 65 to 75 % of sweeps, not
     * in 80. Without a deviation: seeds at which 2^(1 - n), the p of equal signs, is small enough. */
    double df = test.df, few = exp(stats_log_gamma(df / 2) - stats_log_gamma((df - 1) / 2));
    test.seeds_needed = isnan(test.cohen_d)
                            ? (int)ceil(1 - log2(level))
                            : stats_seeds_for_effect(test.cohen_d * few / sqrt(df / 2), level);
    return test;
}

/* ---- The sign-flip test ---------------------------------------------------------------------- */

/* Fisher 1935, "The design of experiments", section 21: if nothing differs, each difference is as
 * likely to have the other sign, so that all 2^n patterns of signs are equally likely, and p is the
 * share of those whose sum is as far from 0 as the one seen. Nothing is taken for normal. */
enum { FEWEST_FLIPPED = 6, MOST_FLIPPED = 18 };

/* Of the signs of the first n differences, how many make a sum, with that of the others, that far out. */
static int far_out(const double *d, int n, double sum, double limit)
{
    return n == 0 ? fabs(sum) >= limit
                  : far_out(d, n - 1, sum + d[n - 1], limit) +
                        far_out(d, n - 1, sum - d[n - 1], limit);
}

double stats_sign_flip_p(const double *a, const double *b, int n)
{
    double d[MOST_FLIPPED], sum = 0, rounding = n * stats_score_rounding(a, b, n);
    if (n < FEWEST_FLIPPED || n > MOST_FLIPPED)
        return UNKNOWN;
    for (int i = 0; i < n; i++)
        sum += d[i] = a[i] - b[i];
    return far_out(d, n, 0, fabs(sum) - rounding) / exp2(n);
}

bool stats_tests_part(const paired_test *test)
{
    return fmin(test->p, test->flip_p) <= SIGNIFICANCE &&
           fmax(test->p, test->flip_p) > 2 * SIGNIFICANCE;
}

/* ---- Wilcoxon's signed-rank test ------------------------------------------------------------- */

/* Exact (Wilcoxon 1945, Biometrics 1). Differences of 0 are dropped, as Wilcoxon did; equal sizes share
 * their average rank. Under the null hypothesis every sign is a fair coin, given the ranks: the
 * distribution of the sum of positive ranks is built up rank by rank (ranks doubled, so that averages
 * are whole numbers). It is therefore exact with ties too. */
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
