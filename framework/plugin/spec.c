/* Specs: "name:key=value,key=value", read and written. */
#include "plugin/loader.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- Numbers, ranges ------------------------------------------------------------------------- */

const char *hki_number_text(double value, int digits, char out[HKI_NUMBER_SIZE])
{
    char text[HKI_NUMBER_SIZE];
    size_t used = 0;
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

const char *hki_shortest_number(double value, char out[HKI_NUMBER_SIZE])
{
    double back;
    for (int digits = 1; digits <= 17; digits++)
        if (hki_parse_double(hki_number_text(value, digits, out), &back) && back == value)
            break;
    return out;
}

const char *hki_range_text(const hk_param *param, char out[HKI_RANGE_SIZE])
{
    char low[HKI_NUMBER_SIZE], high[HKI_NUMBER_SIZE];
    bool any = param->low >= param->high;
    bool low_open = any || isinf(param->low) || param->flags & HK_LOW_OPEN;
    bool high_open = any || isinf(param->high) || param->flags & HK_HIGH_OPEN;
    hki_number_text(any ? -HUGE_VAL : param->low, 6, low);
    hki_number_text(any ? HUGE_VAL : param->high, 6, high);
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

/* ---- Any spec -------------------------------------------------------------------------------- */

/* The pairs in `text`, which is cut into pieces on the way. */
static hk_status each_pair(const char *what, const char *spec, char *text, hki_spec_pair *each,
                           void *user)
{
    for (char *rest = text; rest;) {
        char *key = rest, *value = strchr(key, '='), *comma = strchr(key, ',');
        rest = comma ? comma + 1 : NULL;
        if (comma)
            *comma = '\0';
        if (!value || (comma && value > comma) || value == key || !value[1])
            return hki_fail(HK_BAD_ARGUMENT, "%s \"%.200s\": \"%.200s\" is not key=value", what,
                            spec, key);
        *value = '\0';
        hk_status status = each(user, key, value + 1);
        if (status != HK_OK)
            return status;
    }
    return HK_OK;
}

hk_status hki_spec_parse(const char *what, const char *spec, char *name, size_t name_size,
                         hki_spec_pair *each, void *user)
{
    char copy[HKI_MAX_SPEC];
    if (!spec || !*spec)
        return hki_fail(HK_BAD_ARGUMENT, "%s: the spec is empty; write name or name:key=value",
                        what);
    if (strlen(spec) >= sizeof copy)
        return hki_fail(HK_BAD_ARGUMENT,
                        "%s \"%.64s..\": the spec has %zu bytes, at most %d are possible", what,
                        spec, strlen(spec), HKI_MAX_SPEC - 1);
    size_t length = strcspn(spec, ":");
    if (length == 0 || length >= name_size)
        return hki_fail(HK_BAD_ARGUMENT,
                        "%s \"%.200s\": the name has %zu bytes, 1 to %zu are possible", what, spec,
                        length, name_size - 1);
    memcpy(name, spec, length);
    name[length] = '\0';
    if (!spec[length])
        return HK_OK;
    memcpy(copy, spec + length + 1, strlen(spec + length));
    return each_pair(what, spec, copy, each, user);
}

/* ---- A use of a plugin ----------------------------------------------------------------------- */

typedef struct parsing {
    const char *spec;
    hki_use *use;
    unsigned given; /* a bit for each parameter */
} parsing;

/* Name of a kind and the spec, the beginning of each sentence. */
#define BAD(it, status, format, ...)                                                               \
    hki_fail(status, "%s \"%.200s\": " format, hk_kind_name((hk_kind)(it)->use->plugin->kind),     \
             (it)->spec, __VA_ARGS__)

static hk_status fail_key(const parsing *it, const char *key)
{
    const hk_param *params = it->use->plugin->params;
    char known[HK_MAX_PARAMS * (HKI_MAX_PLUGIN_NAME + 2) + 1] = "";
    for (size_t i = 0, used = 0; params && params[i].name; i++)
        used += (size_t)snprintf(known + used, sizeof known - used, "%s%s", i ? ", " : "",
                                 params[i].name);
    return BAD(it, HK_UNKNOWN_NAME, "\"%s\" has no parameter \"%.64s\"; it has: %s",
               it->use->plugin->name, key, known[0] ? known : "none");
}

static hk_status set_choice(const parsing *it, const hk_param *param, const char *value,
                            double *out)
{
    size_t length;
    int index = 0;
    for (const char *word = hki_next_word(param->choices, '|', &length); word;
         word = hki_next_word(word + length, '|', &length), index++)
        if (strlen(value) == length && memcmp(word, value, length) == 0) {
            *out = index;
            return HK_OK;
        }
    return BAD(it, HK_BAD_ARGUMENT, "%s=%.64s is none of %s", param->name, value, param->choices);
}

static hk_status set_number(const parsing *it, const hk_param *param, const char *value,
                            double *out)
{
    char range[HKI_RANGE_SIZE];
    double number;
    if (!hki_parse_double(value, &number))
        return BAD(it, HK_BAD_ARGUMENT, "%s=%.64s is not a number", param->name, value);
    if (param->type == HK_INTEGER && number != floor(number))
        return BAD(it, HK_BAD_ARGUMENT, "%s=%.64s is not a whole number", param->name, value);
    if (!hki_param_allows(param, number))
        return BAD(it, HK_BAD_ARGUMENT, "%s=%.64s is outside %s", param->name, value,
                   hki_range_text(param, range));
    *out = number;
    return HK_OK;
}

static hk_status set_param(void *user, const char *key, const char *value)
{
    parsing *it = user;
    const hk_param *params = it->use->plugin->params;
    unsigned i = 0;
    while (params && params[i].name && strcmp(params[i].name, key) != 0)
        i++;
    if (!params || !params[i].name)
        return fail_key(it, key);
    if (it->given & 1u << i)
        return BAD(it, HK_BAD_ARGUMENT, "%s is given twice", key);
    it->given |= 1u << i;
    double *out = &it->use->params[i];
    return params[i].type == HK_CHOICE ? set_choice(it, &params[i], value, out)
                                       : set_number(it, &params[i], value, out);
}

/* Finds the plugin first: its table is needed to read the pairs. */
static hk_status ignore_pair(void *user, const char *key, const char *value)
{
    (void)user, (void)key, (void)value;
    return HK_OK;
}

hk_status hki_use_parse(hk_kind kind, const char *spec, hki_use *out)
{
    char name[HKI_MAX_SPEC];
    parsing it = {.spec = spec, .use = out};
    *out = (hki_use){.plugin = NULL};
    hk_status status =
        hki_spec_parse(hk_kind_name(kind), spec, name, sizeof name, ignore_pair, NULL);
    if (status == HK_OK)
        status = strchr(name, '/') ? hki_plugin_from_file(kind, name, &out->plugin)
                                   : hk_plugin_find(kind, name, &out->plugin);
    if (status != HK_OK)
        return status;
    for (int i = 0; out->plugin->params && out->plugin->params[i].name; i++)
        out->params[i] = out->plugin->params[i].value;
    status = hki_spec_parse(hk_kind_name(kind), spec, name, sizeof name, set_param, &it);
    if (status != HK_OK)
        out->plugin = NULL;
    return status;
}

/* A parameter's value in words: the choice, else the number with all its digits. */
static void value_text(const hk_param *param, double value, char *out, size_t size)
{
    char number[HKI_NUMBER_SIZE];
    size_t length;
    const char *word = NULL;
    if (param->type == HK_CHOICE) {
        word = hki_next_word(param->choices, '|', &length);
        for (int i = 0; word && i < (int)value; i++)
            word = hki_next_word(word + length, '|', &length);
    }
    if (word)
        snprintf(out, size, "%.*s", (int)length, word);
    else
        snprintf(out, size, "%s", hki_shortest_number(value, number));
}

char *hki_use_spec(const hki_use *use)
{
    enum { PAIR = 2 * HKI_MAX_PLUGIN_NAME + HKI_NUMBER_SIZE };
    char text[HKI_MAX_PLUGIN_NAME + HK_MAX_PARAMS * PAIR + 1], value[PAIR];
    const hk_param *params = use->plugin->params;
    size_t used = (size_t)snprintf(text, sizeof text, "%s", use->plugin->name);
    char separator = ':';
    for (int i = 0; params && params[i].name; i++) {
        if (use->params[i] == params[i].value)
            continue;
        value_text(&params[i], use->params[i], value, sizeof value);
        used += (size_t)snprintf(text + used, sizeof text - used, "%c%s=%s", separator,
                                 params[i].name, value);
        separator = ',';
    }
    return hki_copy_text(text);
}
