/* Specs, "name:key=value,key=value", read and written by tables. */
#include "core/spec.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

_Static_assert(HK_MAX_PARAMS <= 32, "reading.given has a bit for each parameter");

const char *hki_number_text(double value, int digits, char out[HKI_NUMBER_SIZE])
{
    char text[HKI_NUMBER_SIZE];
    size_t used = 0;
    if (digits == 0 && value == floor(value) && fabs(value) < 1e5 && value != 0) {
        snprintf(out, HKI_NUMBER_SIZE, "%.0f", value); /* 20, not 2e+01 */
        return out;
    }
    if (digits == 0) {
        double back;
        do
            hki_number_text(value, ++digits, out);
        while (digits < 17 && !(hki_parse_double(out, &back) && back == value));
    }
    snprintf(text, sizeof text, "%.*g", digits, value);
    /* What is no part of a number is the locale's decimal point, one or several bytes. */
    for (size_t i = 0; text[i]; i++) {
        bool point = !strchr("0123456789+-einfa", text[i]);
        if (!point || used == 0 || out[used - 1] != '.')
            out[used++] = point ? '.' : text[i];
    }
    out[used] = '\0';
    return out;
}

const char *hki_range_text(const hk_param *param, char out[HKI_RANGE_SIZE])
{
    char low[HKI_NUMBER_SIZE], high[HKI_NUMBER_SIZE];
    bool any = param->low >= param->high;
    bool low_open = any || isinf(param->low) || param->flags & HK_LOW_OPEN;
    bool high_open = any || isinf(param->high) || param->flags & HK_HIGH_OPEN;
    hki_number_text(any ? -HUGE_VAL : param->low, 15, low);
    hki_number_text(any ? HUGE_VAL : param->high, 15, high);
    snprintf(out, HKI_RANGE_SIZE, "%c%s, %s%c", low_open ? '(' : '[', low, high,
             high_open ? ')' : ']');
    return out;
}

bool hki_param_allows(const hk_param *param, double value)
{
    if (param->type == HK_INTEGER && value != floor(value))
        return false;
    if (param->low >= param->high)
        return true;
    return (param->flags & HK_LOW_OPEN ? value > param->low : value >= param->low) &&
           (param->flags & HK_HIGH_OPEN ? value < param->high : value <= param->high);
}

int hki_spec_row(const char *what, const char *spec, const void *table, size_t rows,
                 size_t row_size)
{
    const char *names[HKI_MAX_ROWS];
    assert(rows <= HKI_MAX_ROWS);
    char name[HKI_MAX_NAME], known[512] = "";
    if (!spec)
        spec = "";
    snprintf(name, sizeof name, "%.*s", (int)strcspn(spec, ":"), spec);
    for (size_t i = 0; i < rows; i++) {
        memcpy(&names[i], (const char *)table + i * row_size, sizeof names[i]);
        size_t length = strcspn(names[i], ":");
        if (strlen(name) == length && memcmp(names[i], name, length) == 0)
            return (int)i;
        hki_add_name(known, sizeof known, names[i]);
    }
    hki_fail_unknown(what, name, names, rows, known);
    return -1;
}

typedef struct reading {
    const char *what, *name, *spec;
    const hk_param *params;
    double *values;
    char copy[HKI_MAX_SPEC]; /* of the spec, which is cut into pieces */
    unsigned given;          /* a bit for each parameter */
} reading;

/* Each message begins with the kind of thing and the spec. */
#define BAD(it, status, format, ...)                                                               \
    hki_fail(status, "%s \"%.200s\": " format, (it)->what, (it)->spec, __VA_ARGS__)

static hk_status read_choice(const reading *it, const hk_param *param, const char *text,
                             double *out)
{
    size_t length;
    int index = 0;
    for (const char *word = hki_next_word(param->choices, '|', &length); word;
         word = hki_next_word(word + length, '|', &length), index++)
        if (strlen(text) == length && memcmp(word, text, length) == 0) {
            *out = index;
            return HK_OK;
        }
    return BAD(it, HK_BAD_ARGUMENT, "%s=%.64s is none of %s", param->name, text, param->choices);
}

static hk_status read_number(const reading *it, const hk_param *param, const char *text,
                             double *out)
{
    char range[HKI_RANGE_SIZE];
    double number;
    if (!hki_parse_double(text, &number))
        return BAD(it, HK_BAD_ARGUMENT, "%s=%.64s is not a number", param->name, text);
    if (param->type == HK_INTEGER && number != floor(number))
        return BAD(it, HK_BAD_ARGUMENT, "%s=%.64s is not a whole number", param->name, text);
    if (!hki_param_allows(param, number))
        return BAD(it, HK_BAD_ARGUMENT, "%s=%.64s is outside %s", param->name, text,
                   hki_range_text(param, range));
    *out = number;
    return HK_OK;
}

static hk_status read_pair(reading *it, char *key)
{
    char *text = strchr(key, '=');
    int i = 0;
    if (!text || text == key || !text[1])
        return BAD(it, HK_BAD_ARGUMENT, "\"%.200s\" is not key=value", key);
    *text++ = '\0';
    while (it->params && it->params[i].name && strcmp(it->params[i].name, key) != 0)
        i++;
    if (!it->params || !it->params[i].name) {
        char known[512] = "";
        for (const hk_param *param = it->params; param && param->name; param++)
            hki_add_name(known, sizeof known, param->name);
        return BAD(it, HK_UNKNOWN_NAME, "\"%s\" has no parameter \"%.64s\"; known: %s", it->name,
                   key, *known ? known : "none");
    }
    if (it->given & 1u << i)
        return BAD(it, HK_BAD_ARGUMENT, "%s is given twice", key);
    it->given |= 1u << i;
    switch (it->params[i].type) {
    case HKI_TEXT: it->values[i] = (double)(text - it->copy); return HK_OK;
    case HK_CHOICE: return read_choice(it, &it->params[i], text, &it->values[i]);
    default: return read_number(it, &it->params[i], text, &it->values[i]);
    }
}

hk_status hki_spec_values(const char *what, const char *name, const char *spec, size_t begin,
                          const hk_param *params, double *values)
{
    reading it = {.what = what, .name = name, .spec = spec, .params = params, .values = values};
    size_t length = strlen(spec);
    hk_status status = HK_OK;
    if (length >= sizeof it.copy)
        return hki_fail(HK_BAD_ARGUMENT,
                        "%s \"%.64s..\": the spec has %zu bytes, at most %d are possible", what,
                        spec, length, HKI_MAX_SPEC - 1);
    for (int i = 0; params && params[i].name; i++)
        values[i] = params[i].value;
    memcpy(it.copy, spec, length);
    char *rest = begin < length ? it.copy + begin + 1 : NULL; /* behind a colon or a comma */
    while (rest && status == HK_OK)
        status = read_pair(&it, strsep(&rest, ","));
    return status;
}

int hki_spec_choice(const char *what, const char *spec, const hki_choice *choices, size_t n,
                    double *values)
{
    int i = hki_spec_row(what, spec, choices, n, sizeof *choices);
    if (i < 0 || hki_spec_values(what, choices[i].name, spec, strcspn(spec, ":"), choices[i].params,
                                 values) != HK_OK)
        return -1;
    return i;
}

double hki_spec_value(const hk_param *params, const double *values, const char *name)
{
    for (int i = 0; params[i].name; i++)
        if (strcmp(params[i].name, name) == 0)
            return values[i];
    return 0;
}

/* A value as text: the name of a choice, a text as it is given, a number in its one form; false when it
 * is the default. */
static bool value_text(const hk_param *param, double value, int digits, const char *spec,
                       char out[HKI_MAX_NAME])
{
    double number, usual;
    size_t length;
    const char *word = param->type == HK_CHOICE ? param->choices : NULL;
    word = hki_next_word(word, '|', &length);
    for (int i = 0; word && i < (int)value; i++)
        word = hki_next_word(word + length, '|', &length);
    if (word)
        snprintf(out, HKI_MAX_NAME, "%.*s", (int)length, word);
    else if (param->type != HKI_TEXT)
        hki_number_text(value, digits, out);
    if (param->type != HKI_TEXT || value == param->value)
        return value != param->value;
    const char *given = spec + (int)value;
    snprintf(out, HKI_MAX_NAME, "%.*s", (int)strcspn(given, ","), given);
    if (!hki_parse_double(out, &number))
        return !param->choices || strcmp(out, param->choices) != 0;
    hki_number_text(number, digits, out);
    return !param->choices || !hki_parse_double(param->choices, &usual) || number != usual;
}

char *hki_spec_text(const char *name, const hk_param *params, const double *values, int digits,
                    const char *spec)
{
    char value[HKI_MAX_NAME], separator = strchr(name, ':') ? ',' : ':';
    char *text = hki_copy_text(name);
    for (int i = 0; text && params && params[i].name; i++) {
        if (!value_text(&params[i], values[i], digits, spec, value))
            continue;
        char *longer = hki_format("%s%c%s=%s", text, separator, params[i].name, value);
        hki_free(text);
        text = longer;
        separator = ',';
    }
    return text;
}
