/* Treatments by name: "reset:to=elu,bias:q=0.2,every=2". */
#include "train/treat.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

typedef struct method_row {
    const char *name, *keys;
    const char *to; /* the activation that dead channels are swapped to, NULL: they keep theirs */
    double epochs;  /* for how long */
} method_row;

static const method_row rows[HKI_TREATMENT_COUNT] = {
    [HKI_RESET] = {"reset", "to", "leaky_relu", (double)INFINITY},
    [HKI_LGB_RELU] = {"lgb_relu", "", "lgb_relu", (double)INFINITY},
    [HKI_SURROGATE] = {"surrogate", "to, epochs", "relu_bsilu", 1},
    [HKI_REDO] = {"redo", "", NULL, 0},
    [HKI_BIAS] = {"bias", "q", NULL, 0},
};

typedef struct parsing {
    hki_treatments *all;
    hki_method *method;
} parsing;

static bool takes(const method_row *row, const char *key)
{
    const char *at = strstr(row->keys, key);
    char after = at ? at[strlen(key)] : 'x';
    return *key && at && (after == ',' || !after) && (at == row->keys || at[-1] == ' ');
}

static hk_status set_number(const char *key, const char *value, double low, double high,
                            bool whole, double *out)
{
    double number;
    if (!hki_parse_double(value, &number) || number < low || number > high ||
        (whole && number != floor(number)))
        return hki_fail(HK_BAD_ARGUMENT, "treatment: %s=%.64s, expected a %snumber, %g to %g", key,
                        value, whole ? "whole " : "", low, high);
    *out = number;
    return HK_OK;
}

static hk_status set_key(void *user, const char *key, const char *value)
{
    parsing *it = user;
    const method_row *row = &rows[it->method->kind];
    double every = 0;
    if (!strcmp(key, "every")) {
        hk_status status = set_number(key, value, 1, 1e6, true, &every);
        it->all->every = status ? 0 : (int64_t)every;
        return status;
    }
    if (!takes(row, key))
        return hki_fail(HK_UNKNOWN_NAME, "treatment %s: unknown key \"%.64s\"; known: %s%severy",
                        row->name, key, row->keys, *row->keys ? ", " : "");
    if (!strcmp(key, "to"))
        return hki_use_parse(HK_ACTIVATION, value, &it->method->to);
    if (!strcmp(key, "q"))
        return set_number(key, value, 0.001, 0.999, false, &it->method->q);
    return set_number(key, value, 1, 1e6, true, &it->method->epochs);
}

static hk_status unknown_method(const char *name)
{
    char known[128] = "";
    for (size_t i = 0, used = 0; i < HKI_TREATMENT_COUNT; i++)
        used += (size_t)snprintf(known + used, sizeof known - used, "%s%s", i ? ", " : "",
                                 rows[i].name);
    return hki_fail(HK_UNKNOWN_NAME, "treatment: unknown method \"%.64s\"; known: %s", name, known);
}

static hk_status start_method(const char *name, hki_method *out)
{
    for (int i = 0; i < HKI_TREATMENT_COUNT; i++) {
        if (strcmp(rows[i].name, name) != 0)
            continue;
        *out = (hki_method){.kind = (hki_treatment_kind)i, .name = rows[i].name, .q = 0.1,
                            .epochs = rows[i].epochs};
        return rows[i].to ? hki_use_parse(HK_ACTIVATION, rows[i].to, &out->to) : HK_OK;
    }
    return unknown_method(name);
}

static hk_status parse_method(const char *spec, hki_treatments *out)
{
    char name[64];
    parsing it = {.all = out, .method = &out->methods[out->n]};
    size_t length = strcspn(spec, ":");
    if (out->n == HKI_MAX_METHODS)
        return hki_fail(HK_BAD_ARGUMENT, "at most %d treatments at once", HKI_MAX_METHODS);
    snprintf(name, sizeof name, "%.*s", (int)length, spec);
    hk_status status = start_method(name, it.method);
    out->n++;
    return status ? status
                  : hki_spec_parse("treatment", spec, name, sizeof name, set_key, &it);
}

/* A comma begins a new method, unless what follows is key=value. */
static size_t method_length(const char *spec)
{
    const char *end = spec + strcspn(spec, ",");
    while (*end && end[1 + strcspn(end + 1, ":=,")] == '=')
        end += 1 + strcspn(end + 1, ",");
    return (size_t)(end - spec);
}

hk_status hki_treatments_parse(const char *spec, hki_treatments *out)
{
    hk_status status = HK_OK;
    *out = (hki_treatments){0};
    if (!spec || !*spec)
        return unknown_method("");
    while (*spec && !status) {
        char one[HKI_MAX_SPEC];
        size_t length = method_length(spec);
        if (length >= sizeof one)
            return hki_fail(HK_BAD_ARGUMENT, "treatment: at most %d bytes are possible",
                            HKI_MAX_SPEC - 1);
        snprintf(one, sizeof one, "%.*s", (int)length, spec);
        status = parse_method(one, out);
        spec += length + (spec[length] == ',');
    }
    return status;
}
