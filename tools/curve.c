/* hillock curve: an activation and its slope at some points, through the kernels that train. */
#include "options.h"
#include "output.h"

#include <stdlib.h>

static int read_points(const options *given, int n, float *x)
{
    for (int i = 0; i < n; i++) {
        char *end;
        const char *text = given->operands[i + 1];
        x[i] = strtof(text, &end);
        if (end == text || *end)
            return complain(EXIT_USAGE, "curve: \"%s\", expected a number", text);
    }
    return EXIT_DONE;
}

int run_curve(options *given)
{
    int n = given->n_operands - 1, status;
    float *x = calloc((size_t)n * 3, sizeof *x), *y = x + n, *slope = y + n;
    if (!x)
        return complain(EXIT_FAILED, "curve: out of memory for %d points", n);
    status = read_points(given, n, x);
    if (!status && hk_curve(given->operands[0], n, x, y, slope) != HK_OK)
        status = failed();
    for (int i = 0; i < n && !status; i++)
        printf("%.9g\t%.9g\t%.9g\n", (double)x[i], (double)y[i], (double)slope[i]);
    free(x);
    return status;
}
