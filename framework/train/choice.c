/* Settings out of a spec: a name from a table of choices, and numbers for its keys. */
#include "train/train.h"

#include <hillock/plugin.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include "plugin/registry.h"

typedef struct reading {
    const char *what;
    const hki_choice *choices, *choice; /* choice: found when the name is needed first */
    size_t n;
    char name[64];
    unsigned seen; /* bit i: key i was given */
    void *out;
} reading;

static double *place_of(const reading *in, const hki_setting *key)
{
    return (double *)((char *)in->out + key->offset);
}

/* Appends a name to a list in `text`; what does not fit is left out. */
static void list_name(char *text, size_t size, const char *name)
{
    size_t used = strlen(text);
    snprintf(text + used, size - used, "%s%s", used ? ", " : "", name);
}

static hk_status unknown_choice(const reading *in)
{
    const char *names[32];
    char known[512] = "";
    size_t n = in->n < 32 ? in->n : 32;
    for (size_t i = 0; i < n; i++) {
        names[i] = in->choices[i].name;
        list_name(known, sizeof known, names[i]);
    }
    const char *near = hki_nearest(in->name, names, n);
    return hki_fail(HK_UNKNOWN_NAME, "no %s is called \"%s\"%s%s%s known: %s", in->what, in->name,
                    near ? "; did you mean \"" : ";", near ? near : "", near ? "\"?" : "", known);
}

/* Finds the choice and fills in its defaults. */
static hk_status choose(reading *in)
{
    for (size_t i = 0; i < in->n && !in->choice; i++)
        if (strcmp(in->choices[i].name, in->name) == 0)
            in->choice = &in->choices[i];
    if (!in->choice)
        return unknown_choice(in);
    for (const hki_setting *key = in->choice->keys; key->name; key++)
        *place_of(in, key) = key->value;
    return HK_OK;
}

static hk_status unknown_key(const reading *in, const char *name)
{
    char known[512] = "";
    for (const hki_setting *key = in->choice->keys; key->name; key++)
        list_name(known, sizeof known, key->name);
    return hki_fail(HK_UNKNOWN_NAME, "%s %s has no \"%.64s\"; known: %s", in->what, in->name, name,
                    known);
}

static bool in_range(const hki_setting *key, double value)
{
    bool above = key->flags & HK_LOW_OPEN ? value > key->low : value >= key->low;
    bool below = key->flags & HK_HIGH_OPEN ? value < key->high : value <= key->high;
    return above && below;
}

static hk_status out_of_range(const reading *in, const hki_setting *key, const char *text)
{
    char high[48] = "";
    if (isfinite(key->high))
        snprintf(high, sizeof high, " and %s %g", key->flags & HK_HIGH_OPEN ? "below" : "at most",
                 key->high);
    return hki_fail(HK_BAD_ARGUMENT, "%s %s: %s=%.64s, expected a number %s %g%s", in->what,
                    in->name, key->name, text, key->flags & HK_LOW_OPEN ? "above" : "from",
                    key->low, high);
}

static hk_status read_pair(void *user, const char *name, const char *text)
{
    reading *in = user;
    hk_status status = in->choice ? HK_OK : choose(in);
    if (status != HK_OK)
        return status;
    const hki_setting *key = in->choice->keys;
    while (key->name && strcmp(key->name, name) != 0)
        key++;
    if (!key->name)
        return unknown_key(in, name);
    unsigned bit = 1u << (key - in->choice->keys);
    if (in->seen & bit)
        return hki_fail(HK_BAD_ARGUMENT, "%s %s: %s is given twice", in->what, in->name, name);
    in->seen |= bit;
    double value;
    if (!hki_parse_double(text, &value) || !in_range(key, value))
        return out_of_range(in, key, text);
    *place_of(in, key) = value;
    return HK_OK;
}

hk_status hki_choice_parse(const char *what, const hki_choice *choices, size_t n,
                           const char *spec, void *out, int *chosen)
{
    reading in = {.what = what, .choices = choices, .n = n, .out = out};
    hk_status status = hki_spec_parse(what, spec, in.name, sizeof in.name, read_pair, &in);
    if (status == HK_OK && !in.choice)
        status = choose(&in);
    if (status == HK_OK)
        *chosen = (int)(in.choice - choices);
    return status;
}
