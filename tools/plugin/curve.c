/* hillock curve: an activation and its slope at some points, or drawn, through the kernels that
 * train. */
#include "options.h"
#include "output.h"
#include "plugin/plot.h"

#include <math.h>
#include <stdlib.h>

static int print_points(const options *given)
{
    const int n = given->n_operands - 1;
    float *x = calloc((size_t)n * 3, sizeof *x), *y = x + n, *slope = y + n;
    if (!x)
        return tool_no_memory();
    int status = EXIT_DONE;
    for (int i = 0; i < n && !status; i++) {
        char *end;
        const char *text = given->operands[i + 1];
        x[i] = strtof(text, &end);
        if (end == text || *end)
            status = tool_fail(EXIT_USAGE, "curve: \"%s\", expected a number", text);
    }
    if (!status && hk_curve(given->operands[0], n, x, y, slope) != HK_OK)
        status = tool_failed();
    for (int i = 0; i < n && !status; i++)
        printf("%.9g\t%.9g\t%.9g\n", (double)x[i], (double)y[i], (double)slope[i]);
    free(x);
    return status;
}

static int plot(const options *given)
{
    const char *text = given->range ? given->range : "-5:5";
    char *end;
    const double low = strtod(text, &end);
    const bool begun = end != text && *end == ':';
    const char *second = begun ? end + 1 : end;
    const double high = strtod(second, &end);
    /* far enough apart for floats in between */
    if (!begun || end == second || *end || !(fabs(low) <= 1e6 && fabs(high) <= 1e6) ||
        !(high - low >= fmax(1e-3, 1e-3 * fabs(low))))
        return tool_fail(EXIT_USAGE,
                         "curve: --range is \"%s\", expected LOW:HIGH, within -1e6:1e6 and at "
                         "least a thousandth apart",
                         text);
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
    return status || !given->plot ? status : plot(given);
}
