/* --class-weights: balanced, or a file of a weight for each class. */
#include "net/network.h"
#include "output.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The class of this name, else of this number; -1: none. */
static int find_class(const hk_data *data, const char *name)
{
    const int classes = hk_data_shape_of(data).classes;
    char *end;
    for (int i = 0; i < classes; i++)
        if (strcmp(hk_data_class_name(data, i), name) == 0)
            return i;
    const long number = strtol(name, &end, 10);
    return end != name && !*end && number >= 0 && number < classes ? (int)number : -1;
}

static int fail_unknown(const char *file, int line, const hk_data *data, const char *name)
{
    enum { SHOWN = 100 };
    const char *known[SHOWN];
    int n = 0;
    for (; n < hk_data_shape_of(data).classes && n < SHOWN; n++)
        known[n] = hk_data_class_name(data, n);
    return tool_fail(EXIT_USAGE, "%s, line %d: no class named \"%s\"%s", file, line, name,
                     tool_known(name, known, (size_t)n));
}

/* Without the white space around it. */
static char *trimmed(char *text)
{
    text += strspn(text, " \t\r\n");
    for (size_t n = strlen(text); n && strchr(" \t\r\n", text[n - 1]); n--)
        text[n - 1] = '\0';
    return text;
}

/* "name, weight"; the last comma counts, since a name may have one. */
static int read_line(const char *file, int line, char *text, const hk_data *data, double *weights,
                     bool *given)
{
    char *comma = strrchr(text, ','), *end = NULL;
    if (!comma)
        return tool_fail(EXIT_USAGE,
                         "%s, line %d: \"%s\", expected a class and its weight: cat, 2.5", file,
                         line, text);
    *comma = '\0';
    const char *name = trimmed(text), *number = trimmed(comma + 1);
    const int class = find_class(data, name);
    const double weight = strtod(number, &end);
    if (class < 0)
        return fail_unknown(file, line, data, name);
    if (end == number || *end || !(weight >= 1e-6 && weight <= 1e6))
        return tool_fail(
            EXIT_USAGE,
            "%s, line %d: the weight of %s is \"%s\", expected a number from 1e-6 to 1e6", file,
            line, name, number);
    if (given[class])
        return tool_fail(EXIT_USAGE, "%s, line %d: class %s has a weight already", file, line,
                         name);
    given[class] = true;
    weights[class] = weight;
    return EXIT_DONE;
}

static int read_file(const char *file, const hk_data *data, double *weights)
{
    char *text = NULL;
    size_t size = 0;
    bool *given = calloc((size_t)hk_data_shape_of(data).classes, sizeof *given);
    FILE *from = given ? fopen(file, "r") : NULL;
    int status = EXIT_DONE;
    if (!given)
        status = tool_no_memory();
    else if (!from)
        status = tool_fail(EXIT_USAGE,
                           "train: --class-weights is \"%s\": %s; expected balanced, or a "
                           "file of lines \"class, weight\"",
                           file, strerror(errno));
    for (int line = 1; from && !status && getline(&text, &size, from) >= 0; line++) {
        char *content = trimmed(text);
        if (*content && *content != '#')
            status = read_line(file, line, content, data, weights, given);
    }
    if (from && !status && ferror(from))
        status = tool_fail(EXIT_IO, "%s: %s", file, strerror(errno));
    if (from)
        fclose(from);
    free(text);
    free(given);
    return status;
}

int net_class_weights(const char *given, const hk_data *data, double **out)
{
    const int classes = hk_data_shape_of(data).classes;
    *out = given ? calloc((size_t)classes, sizeof **out) : NULL;
    if (!given)
        return EXIT_DONE;
    if (!*out)
        return tool_no_memory();
    for (int i = 0; i < classes; i++)
        (*out)[i] = 1;
    if (strcmp(given, "balanced") != 0)
        return read_file(given, data, *out);
    return hk_class_weights(data, *out) == HK_OK ? EXIT_DONE : tool_failed();
}
