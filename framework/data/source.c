/* Where data sets come from: the table of sources, and specs "name:path,key=value". A new source is
 * a file with an hki_source_open, and a row here. */
#include "data/data.h"

#include "io/io.h"
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static const hki_source sources[] = {
    {"mnist", "mnist:DIR", true, hki_mnist_open, {{0}}},
    {"fashion-mnist", "fashion-mnist:DIR", true, hki_fashion_open, {{0}}},
    {"cifar-10", "cifar-10:DIR", true, hki_cifar_open, {{0}}},
    {"csv", "csv:FILE", true, hki_csv_open,
     {[HKI_CSV_LABEL] = {"label", 0, 1, 0, true, {"last", "first"}},
      [HKI_CSV_TEST] = {"test", 0.001, 0.999, 0.2, false, {0}},
      [HKI_CSV_SEED] = {"seed", 0, 0x1p53, 1, true, {0}}}},
    {"glyphs", "glyphs", false, hki_glyphs_open,
     {[HKI_GLYPHS_TRAIN] = {"train", 1, 1e7, 6000, true, {0}},
      [HKI_GLYPHS_TEST] = {"test", 1, 1e7, 1000, true, {0}},
      [HKI_GLYPHS_SIZE] = {"size", 8, 512, 28, true, {0}},
      [HKI_GLYPHS_CHANNELS] = {"channels", 1, HKI_GLYPHS_MAX_CHANNELS, 1, true, {0}},
      [HKI_GLYPHS_SEED] = {"seed", 0, 0x1p53, 1, true, {0}}}},
};
enum { SOURCES = sizeof sources / sizeof *sources };

static hk_status unknown_source(const char *name)
{
    const char *names[SOURCES];
    char forms[256] = "";
    for (size_t i = 0, used = 0; i < SOURCES; i++) {
        names[i] = sources[i].name;
        used += (size_t)snprintf(forms + used, sizeof forms - used, "%s%s", i ? ", " : "",
                                 sources[i].form);
    }
    const char *near = hki_nearest(name, names, SOURCES);
    if (near)
        return hki_fail(HK_UNKNOWN_NAME, "data: unknown source \"%.64s\", did you mean %s? "
                        "Known: %s", name, near, forms);
    return hki_fail(HK_UNKNOWN_NAME, "data: unknown source \"%.64s\"; known: %s", name, forms);
}

static const hki_source *find_source(const char *name)
{
    for (size_t i = 0; i < SOURCES; i++)
        if (strcmp(sources[i].name, name) == 0)
            return &sources[i];
    return NULL;
}

static hk_status unknown_option(const hki_source *source, const char *key)
{
    char keys[128] = "";
    for (size_t i = 0, used = 0; source->options[i].key; i++)
        used += (size_t)snprintf(keys + used, sizeof keys - used, "%s%s", i ? ", " : "",
                                 source->options[i].key);
    return hki_fail(HK_UNKNOWN_NAME, "%s: unknown option \"%.64s\"; known: %s", source->name, key,
                    keys[0] ? keys : "none");
}

/* The value of one option out of its text. */
static hk_status parse_value(const hki_source *source, const hki_option *option, const char *text,
                             double *value)
{
    if (option->choices[0]) {
        for (int i = 0; option->choices[i]; i++) {
            if (strcmp(option->choices[i], text) == 0) {
                *value = i;
                return HK_OK;
            }
        }
        return hki_fail(HK_BAD_ARGUMENT, "%s: %s=%.64s, expected %s or %s", source->name,
                        option->key, text, option->choices[0], option->choices[1]);
    }
    if (hki_parse_double(text, value) && *value >= option->low && *value <= option->high &&
        (!option->whole || *value == floor(*value)))
        return HK_OK;
    return hki_fail(HK_BAD_ARGUMENT, "%s: %s=%.64s, expected a%s number %.17g..%.17g", source->name,
                    option->key, text, option->whole ? " whole" : "", option->low, option->high);
}

static hk_status parse_option(const hki_source *source, char *item, double *values)
{
    char *equals = strchr(item, '=');
    if (!equals)
        return hki_fail(HK_BAD_ARGUMENT, "%s: \"%.64s\", expected key=value", source->name, item);
    *equals = '\0';
    for (int i = 0; source->options[i].key; i++)
        if (strcmp(source->options[i].key, item) == 0)
            return parse_value(source, &source->options[i], equals + 1, &values[i]);
    return unknown_option(source, item);
}

/* Cuts `text`, all behind the colon, into the path and the options. */
static hk_status parse_rest(const hki_source *source, char *text, const char **path, double *values)
{
    for (int i = 0; source->options[i].key; i++)
        values[i] = source->options[i].initial;
    *path = NULL;
    while (text && *text) {
        char *item = text;
        text = strchr(text, ',');
        if (text)
            *text++ = '\0';
        if (source->takes_path && !*path) {
            *path = item;
            continue;
        }
        hk_status status = parse_option(source, item, values);
        if (status)
            return status;
    }
    if (source->takes_path && (!*path || !**path))
        return hki_fail(HK_BAD_ARGUMENT, "%s: no path, expected %s", source->name, source->form);
    return HK_OK;
}

/* "name:path,key=value" with the options that differ from their defaults; NULL without memory. */
static char *canonical_spec(const hki_source *source, const char *path, const double *values)
{
    char *spec = hki_format("%s%s%s", source->name, path ? ":" : "", path ? path : "");
    char separator = path ? ',' : ':';
    for (int i = 0; spec && source->options[i].key; i++) {
        const hki_option *option = &source->options[i];
        if (values[i] == option->initial)
            continue;
        char *longer = option->choices[0] ? hki_format("%s%c%s=%s", spec, separator, option->key,
                                                       option->choices[(int)values[i]])
                                          : hki_format("%s%c%s=%.17g", spec, separator, option->key,
                                                       values[i]);
        hki_free(spec);
        spec = longer;
        separator = ',';
    }
    return spec;
}

static hk_status open_parsed(const hki_source *source, const char *path, const double *values,
                             hk_data **train, hk_data **test)
{
    hk_status status = source->open(path, values, train, test);
    if (status == HK_OK) {
        (*train)->spec = canonical_spec(source, path, values);
        (*test)->spec = canonical_spec(source, path, values);
        if (!(*train)->spec || !(*test)->spec)
            status = HK_NO_MEMORY;
    }
    if (status) {
        hk_data_free(*train);
        hk_data_free(*test);
        *train = *test = NULL;
    }
    return status;
}

hk_status hk_data_open(const char *spec, hk_data **train, hk_data **test)
{
    hk_data *sets[2] = {NULL, NULL};
    if (train)
        *train = NULL;
    if (test)
        *test = NULL;
    if (!spec || !train)
        return hki_fail(HK_BAD_ARGUMENT, "data: no %s", spec ? "place for the result" : "spec");
    if (strlen(spec) >= HKI_MAX_SPEC)
        return hki_fail(HK_BAD_ARGUMENT, "data: a spec of %zu bytes, expected fewer than %d",
                        strlen(spec), HKI_MAX_SPEC);
    char text[HKI_MAX_SPEC];
    strcpy(text, spec);
    char *rest = strchr(text, ':');
    if (rest)
        *rest++ = '\0';
    const hki_source *source = find_source(text);
    if (!source)
        return unknown_source(text);
    const char *path;
    double values[HKI_MAX_OPTIONS];
    hk_status status = parse_rest(source, rest, &path, values);
    if (status == HK_OK)
        status = open_parsed(source, path, values, &sets[0], &sets[1]);
    if (status)
        return status;
    *train = sets[0];
    if (test)
        *test = sets[1];
    else
        hk_data_free(sets[1]);
    return HK_OK;
}

bool hki_data_file_exists(const char *path)
{
    struct stat info;
    return hki_files.stat(path, &info) == 0 || (errno != ENOENT && errno != ENOTDIR);
}
