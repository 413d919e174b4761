/* holm.c - Holm 1979, "A simple sequentially rejective multiple test procedure", Scandinavian
 * Journal of Statistics 6: the smallest of m p values is multiplied by m, the next by m - 1, and so
 * on; none may be smaller than the one before. It needs no assumption on how the tests depend on
 * each other, and rejects whatever Bonferroni does. */
#include "stats.h"

#include <math.h>
#include <stdlib.h>

#include "parts.h"

static int by_pointed(const void *a, const void *b)
{
    double x = **(const double *const *)a, y = **(const double *const *)b;
    return (x > y) - (x < y);
}

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
