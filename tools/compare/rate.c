/* A spec is a name, a colon and pairs with commas between them. */
#include "compare/rate.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *first_pair(const char *spec)
{
    const char *colon = strchr(spec, ':');
    return colon ? colon + 1 : spec + strlen(spec);
}

/* Behind the comma, or the end. */
static const char *next_pair(const char *pair)
{
    const char *comma = strchr(pair, ',');
    return comma ? comma + 1 : pair + strlen(pair);
}

static int is_rate(const char *pair)
{
    return strncmp(pair, "lr=", 3) == 0;
}

double compare_rate_in(const char *optimizer)
{
    for (const char *pair = first_pair(optimizer); *pair; pair = next_pair(pair))
        if (is_rate(pair))
            return strtod(pair + 3, NULL);
    return (double)NAN;
}

void compare_rate_left_out(const char *optimizer, char *out, size_t size)
{
    char before = ':';
    size_t used = (size_t)snprintf(out, size, "%.*s", (int)strcspn(optimizer, ":"), optimizer);
    for (const char *pair = first_pair(optimizer); *pair && used < size; pair = next_pair(pair))
        if (!is_rate(pair)) {
            used += (size_t)snprintf(out + used, size - used, "%c%.*s", before,
                                     (int)strcspn(pair, ","), pair);
            before = ',';
        }
}

void compare_rate_put(const char *optimizer, double rate, char *out, size_t size)
{
    compare_rate_left_out(optimizer, out, size);
    const size_t used = strlen(out);
    snprintf(out + used, size - used, "%clr=%.17g", strchr(out, ':') ? ',' : ':', rate);
}
