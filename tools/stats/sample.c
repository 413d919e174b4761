/* sample.c - the statistics of one row: mean, deviation, median and two intervals.
 *
 * The bootstrap is the percentile interval of Efron 1979 (Annals of Statistics 7): 10,000 samples
 * drawn with replacement, and the 250th mean from below and from above. Its random numbers depend
 * on nothing but the index, so the same scores give the same interval everywhere. */
#include "stats.h"

#include <hillock/random.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { DRAWS = 10000 };

/* The k-th smallest of n numbers, k from 0, which it puts in another order: Hoare's FIND (1961,
 * Communications of the ACM 4), which takes the half in which the number must be. */
static double smallest(double *x, int n, int k)
{
    int from = 0, to = n - 1;
    while (from < to) {
        double pivot = x[k];
        int i = from, j = to;
        while (i <= j) {
            while (x[i] < pivot)
                i++;
            while (x[j] > pivot)
                j--;
            if (i > j)
                break;
            double swapped = x[i];
            x[i++] = x[j];
            x[j--] = swapped;
        }
        if (j < k)
            from = i;
        if (i > k)
            to = j;
    }
    return x[k];
}

static double median(const double *x, int n)
{
    double *copy = n > 0 ? malloc((size_t)n * sizeof *copy) : NULL;
    if (!copy)
        return UNKNOWN;
    memcpy(copy, x, (size_t)n * sizeof *copy);
    double middle = (smallest(copy, n, (n - 1) / 2) + smallest(copy, n, n / 2)) / 2;
    free(copy);
    return middle;
}

static void bootstrap(const double *x, int n, double *low, double *high)
{
    static const uint64_t key = 0x68696c6c6f636b; /* any fixed number */
    double means[DRAWS];
    uint32_t word[4];
    uint64_t at = 0;
    for (int draw = 0; draw < DRAWS; draw++) {
        double sum = 0;
        for (int i = 0; i < n; i++, at++) {
            if (at % 4 == 0)
                hks_philox(key, at / 4, word);
            sum += x[(uint64_t)word[at % 4] * (uint64_t)n >> 32];
        }
        means[draw] = sum / n;
    }
    *low = smallest(means, DRAWS, DRAWS / 40 - 1);
    *high = smallest(means, DRAWS, DRAWS - DRAWS / 40);
}

sample_summary stats_sample_summarize(const double *x, int n)
{
    double sum = 0, squares = 0, mean = UNKNOWN, sd = UNKNOWN;
    for (int i = 0; i < n; i++)
        sum += x[i];
    if (n > 0)
        mean = sum / n;
    for (int i = 0; i < n; i++)
        squares += (x[i] - mean) * (x[i] - mean);
    if (n > 1)
        sd = sqrt(squares / (n - 1));
    if (sd <= stats_score_rounding(x, x, n)) /* equal values, whatever the rounding of their mean */
        sd = 0;
    sample_summary s = {.n = n, .mean = mean, .sd = sd, .median = median(x, n)};
    s.low = s.high = s.boot_low = s.boot_high = UNKNOWN;
    if (n < 2)
        return s;
    double half = stats_student_quantile(0.975, n - 1) * s.sd / sqrt(n);
    s.low = s.mean - half;
    s.high = s.mean + half;
    bootstrap(x, n, &s.boot_low, &s.boot_high);
    return s;
}
