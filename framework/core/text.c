/* Messages; numbers out of text, whatever the program's locale; lists of words; names that are not
 * known. */
#include "core/base.h"

#include <errno.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void hki_say(hki_text *to, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(to->at + to->used, to->size - to->used, format, arguments);
    va_end(arguments);
    to->used += strlen(to->at + to->used);
}

bool hki_parse_double(const char *text, double *out)
{
    if (!text[0] || strspn(text, "0123456789+-.eE") != strlen(text))
        return false; /* no "inf", "nan", hexadecimal or white space */
    locale_t c_locale = newlocale(LC_NUMERIC_MASK, "C", (locale_t)0);
    if (!c_locale)
        return false;
    locale_t previous = uselocale(c_locale);
    char *end;
    double value = strtod(text, &end);
    uselocale(previous);
    freelocale(c_locale);
    if (*end || !isfinite(value))
        return false;
    *out = value;
    return true;
}

bool hki_parse_int(const char *text, int64_t low, int64_t high, int64_t *out)
{
    if (!text[0] || strspn(text, "0123456789+-") != strlen(text))
        return false;
    char *end;
    errno = 0;
    long long value = strtoll(text, &end, 10);
    if (*end || errno || value < low || value > high)
        return false;
    *out = value;
    return true;
}

hk_status hki_check_name(const char *what, const char *name, size_t size)
{
    size_t length = strlen(name);
    if (length < 1 || length >= size)
        return hki_fail(HK_BAD_ARGUMENT, "the name of %s has 1 to %zu characters, not %zu", what,
                        size - 1, length);
    for (size_t i = 0; i < length; i++)
        if (name[i] < ' ' || name[i] > '~')
            return hki_fail(HK_BAD_ARGUMENT,
                            "the name of %s is printable ASCII; character %zu has the code %d",
                            what, i + 1, (unsigned char)name[i]);
    return HK_OK;
}

const char *hki_next_word(const char *list, char separator, size_t *length)
{
    if (!list || !*list)
        return NULL;
    if (*list == separator)
        list++;
    *length = strcspn(list, (char[]){separator, 0});
    return list;
}

bool hki_has_word(const char *list, const char *word, size_t length)
{
    size_t found;
    for (const char *at = hki_next_word(list, ',', &found); at;
         at = hki_next_word(at + found, ',', &found))
        if (found == length && memcmp(at, word, length) == 0)
            return true;
    return false;
}

void hki_add_name(char *list, size_t size, const char *name)
{
    size_t used = strlen(list);
    snprintf(list + used, size - used, "%s%s", used ? ", " : "", name);
}

enum { LONGEST = 63 };

/* Edits that turn a into b, where two neighbours that changed places are one edit (Damerau 1964);
 * names longer than LONGEST are far from everything. What follows a colon, "csv:FILE", is no part
 * of the name. */
static int edit_distance(const char *a, const char *b)
{
    size_t m = strcspn(a, ":"), n = strcspn(b, ":");
    int rows[3][LONGEST + 1]; /* row i is rows[i % 3] */
    if (m > LONGEST || n > LONGEST)
        return LONGEST;
    for (size_t j = 0; j <= n; j++)
        rows[0][j] = (int)j;
    for (size_t i = 1; i <= m; i++) {
        int *row = rows[i % 3], *above = rows[(i - 1) % 3], *two_above = rows[(i + 1) % 3];
        row[0] = (int)i;
        for (size_t j = 1; j <= n; j++) {
            bool same = a[i - 1] == b[j - 1];
            row[j] = above[j - 1] + !same;
            row[j] = row[j] <= above[j] ? row[j] : above[j] + 1;
            row[j] = row[j] <= row[j - 1] ? row[j] : row[j - 1] + 1;
            bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
            if (swapped && two_above[j - 2] + 1 < row[j])
                row[j] = two_above[j - 2] + 1;
        }
    }
    return rows[m % 3][n];
}

const char *hki_nearest(const char *name, const char *const *names, size_t n)
{
    const char *best = NULL;
    int best_distance = 4;
    for (size_t i = 0; i < n; i++) {
        int distance = edit_distance(name, names[i]);
        if (distance < best_distance && 2 * distance <= (int)strlen(name)) {
            best = names[i];
            best_distance = distance;
        }
    }
    return best;
}

hk_status hki_fail_unknown(const char *what, const char *name, const char *const *names, size_t n,
                           const char *known)
{
    const char *near = hki_nearest(name, names, n);
    return hki_fail(HK_UNKNOWN_NAME, "no %s named \"%.64s\"%s%s%s known: %s", what, name,
                    near ? "; did you mean \"" : ";", near ? near : "", near ? "\"?" : "", known);
}
