/* hillock curve: an activation and its slope at some points, or drawn, through the kernels that
 * train. */
#include "options.h"
#include "output.h"
#include "plugin/plot.h"

#include <math.h>
#include <stdlib.h>

static int read_points(const options *given, int n, float *x)
{
    for (int i = 0; i < n; i++) {
        char *end;
        const char *text = given->operands[i + 1];
        x[i] = strtof(text, &end);
        if (end == text || *end)
            return tool_fail(EXIT_USAGE, "curve: \"%s\", expected a number", text);
    }
    return EXIT_DONE;
}

static int print_points(const options *given)
{
    int n = given->n_operands - 1, status;
    float *x = calloc((size_t)n * 3, sizeof *x), *y = x + n, *slope = y + n;
    if (!x)
        return tool_fail(EXIT_FAILED, "curve: out of memory for %d points", n);
    status = read_points(given, n, x);
    if (!status && hk_curve(given->operands[0], n, x, y, slope) != HK_OK)
        status = tool_failed();
    for (int i = 0; i < n && !status; i++)
        printf("%.9g\t%.9g\t%.9g\n", (double)x[i], (double)y[i], (double)slope[i]);
    free(x);
    return status;
}

/* LOW:HIGH, far enough apart for floats in between. */
static bool read_range(const char *text, double *low, double *high)
{
    char *end;
    *low = strtod(text, &end);
    if (end == text || *end != ':')
        return false;
    text = end + 1;
    *high = strtod(text, &end);
    return end != text && !*end && fabs(*low) <= 1e6 && fabs(*high) <= 1e6 &&
           *high - *low >= fmax(1e-3, 1e-3 * fabs(*low));
}

static int draw(const options *given)
{
    double low = -5, high = 5;
    if (given->range && !read_range(given->range, &low, &high))
        return tool_fail(
            EXIT_USAGE,
            "curve: --range is \"%s\", expected LOW:HIGH, within -1e6:1e6 and at least "
            "a thousandth apart",
            given->range);
    return plugin_plot_curve(given->operands[0], low, high, given->plot);
}

int plugin_curve_command(options *given)
{
    if (given->range && !given->plot)
        return tool_fail(EXIT_USAGE, "curve: --range goes with --plot");
    if (given->n_operands == 1 && !given->plot)
        return tool_fail(EXIT_USAGE, "curve: expected SPEC X..., or --plot FILE.svg; see hillock "
                                     "curve --help");
    int status = given->n_operands > 1 ? print_points(given) : EXIT_DONE;
    return status || !given->plot ? status : draw(given);
}
