/* What the summary of an initializer promises: "N(mean, variance)" or "U(low, high)" with
 * expressions of + - * / ^ sqrt(), numbers and names. A summary of another form promises nothing
 * that could be checked. */
#include "plugin/check/check.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct reader {
    const char *at;
    const variable *variables;
    bool bad;
} reader;

static double sum(reader *r);

static bool take(reader *r, char c)
{
    while (*r->at == ' ')
        r->at++;
    if (*r->at != c)
        return false;
    r->at++;
    return true;
}

static double named(reader *r)
{
    const size_t length = strspn(r->at, "abcdefghijklmnopqrstuvwxyz0123456789_");
    const char *name = r->at;
    r->at += length;
    if (length == 4 && strncmp(name, "sqrt", 4) == 0 && take(r, '(')) {
        const double inside = sum(r);
        r->bad |= !take(r, ')');
        return sqrt(inside);
    }
    for (const variable *v = r->variables; v->name; v++)
        if (strlen(v->name) == length && strncmp(v->name, name, length) == 0)
            return v->value;
    r->bad = true;
    return 0;
}

static double factor(reader *r)
{
    double value;
    if (take(r, '-'))
        return -factor(r);
    if (take(r, '(')) {
        value = sum(r);
        r->bad |= !take(r, ')');
    } else if (isdigit((unsigned char)*r->at)) {
        char *end;
        value = strtod(r->at, &end);
        r->at = end;
    } else if (islower((unsigned char)*r->at)) {
        value = named(r);
    } else {
        r->bad = true;
        return 0;
    }
    return take(r, '^') ? pow(value, factor(r)) : value;
}

static double product(reader *r)
{
    double value = factor(r);
    while (!r->bad)
        if (take(r, '*'))
            value *= factor(r);
        else if (take(r, '/'))
            value /= factor(r);
        else
            break;
    return value;
}

static double sum(reader *r)
{
    double value = product(r);
    while (!r->bad)
        if (take(r, '+'))
            value += product(r);
        else if (take(r, '-'))
            value -= product(r);
        else
            break;
    return value;
}

bool check_distribution_of(const char *text, const variable *variables, double *mean,
                           double *variance)
{
    if ((text[0] != 'N' && text[0] != 'U') || text[1] != '(')
        return false;
    reader r = {.at = text + 2, .variables = variables};
    const double first = sum(&r);
    r.bad |= !take(&r, ',');
    const double second = sum(&r);
    /* "N(0, 1) cut at 2" says more than the moments of N(0, 1) */
    if (r.bad || !take(&r, ')') || *r.at)
        return false;
    *mean = text[0] == 'N' ? first : (first + second) / 2;
    *variance = text[0] == 'N' ? second : (second - first) * (second - first) / 12;
    return true;
}
