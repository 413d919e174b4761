/* The statistics of a comparison on given numbers, for scipy to repeat; statistics_parity.py is the
 * other half. Each line of standard input is a request, answered by a line of numbers:
 *     normal Z | student T DF | quantile P DF | noncentral T DF D
 *     sample N X...         mean sd median low high
 *     paired N A... B...    difference sd t p low high d wilcoxon_p
 *     holm N P...           the adjusted ones
 *     seeds D TESTS */
#include "stats/stats.h"

#include <stdio.h>
#include <string.h>

enum { MOST = 1000 };

static int read_numbers(double *x, int n)
{
    for (int i = 0; i < n; i++)
        if (scanf("%lf", &x[i]) != 1)
            return 0;
    return n;
}

static void print_numbers(const double *x, int n)
{
    for (int i = 0; i < n; i++)
        printf("%.17g%c", x[i], i + 1 < n ? ' ' : '\n');
}

static void answer_sample(const double *x, int n)
{
    sample_summary s = stats_sample_summarize(x, n);
    print_numbers((const double[]){s.mean, s.sd, s.median, s.low, s.high}, 5);
}

static void answer_paired(const double *a, const double *b, int n)
{
    paired_test t = stats_paired_compare(a, b, n, SIGNIFICANCE);
    print_numbers(
        (const double[]){t.difference, t.sd, t.t, t.p, t.low, t.high, t.cohen_d, t.wilcoxon_p}, 8);
}

static void answer_holm(const double *p, int n)
{
    double adjusted[MOST];
    stats_holm_adjust(p, n, adjusted);
    print_numbers(adjusted, n);
}

/* Distributions of one to three numbers. */
static int answer_value(const char *kind)
{
    double x[3], value;
    if (strcmp(kind, "normal") == 0 && read_numbers(x, 1))
        value = stats_normal_cdf(x[0]);
    else if (strcmp(kind, "student") == 0 && read_numbers(x, 2))
        value = stats_student_cdf(x[0], x[1]);
    else if (strcmp(kind, "quantile") == 0 && read_numbers(x, 2))
        value = stats_student_quantile(x[0], x[1]);
    else if (strcmp(kind, "noncentral") == 0 && read_numbers(x, 3))
        value = stats_noncentral_t_cdf(x[0], x[1], x[2]);
    else if (strcmp(kind, "seeds") == 0 && read_numbers(x, 2))
        value = stats_seeds_for_effect(x[0], SIGNIFICANCE / x[1]);
    else
        return 0;
    print_numbers(&value, 1);
    return 1;
}

static int answer_list(const char *kind)
{
    double a[MOST], b[MOST];
    int n;
    if (scanf("%d", &n) != 1 || n < 1 || n > MOST || !read_numbers(a, n))
        return 0;
    if (strcmp(kind, "sample") == 0)
        answer_sample(a, n);
    else if (strcmp(kind, "holm") == 0)
        answer_holm(a, n);
    else if (strcmp(kind, "paired") == 0 && read_numbers(b, n))
        answer_paired(a, b, n);
    else
        return 0;
    return 1;
}

int main(void)
{
    char kind[16];
    while (scanf("%15s", kind) == 1) {
        int list =
            strcmp(kind, "sample") == 0 || strcmp(kind, "holm") == 0 || strcmp(kind, "paired") == 0;
        if (!(list ? answer_list : answer_value)(kind)) {
            fprintf(stderr, "cannot read a request: %s\n", kind);
            return 1;
        }
    }
    return 0;
}
