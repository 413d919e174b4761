/* The form of reports. */
#include "compare/message.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>
#include <hillock/train.h>

typedef enum form { COUNT, FIGURE, TEXT, LAYERS } form; /* a figure may be null: not finite */

typedef struct field {
    const char *name;
    form form;
} field;

static const field progress[] = {
    {"epoch", COUNT}, {"epochs", COUNT},        {"done", COUNT},          {"of", COUNT},
    {"loss", FIGURE}, {"images_per_s", FIGURE}, {"seconds_left", FIGURE}, {0}};
static const field epoch[] = {{"epoch", COUNT},         {"train_loss", FIGURE}, {"loss", FIGURE},
                              {"accuracy", FIGURE},     {"macro_f1", FIGURE},   {"seconds", FIGURE},
                              {"images_per_s", FIGURE}, {"layers", LAYERS},     {0}};
static const field layer[] = {{"layer", TEXT},
                              {"units", COUNT},
                              {"dead", FIGURE},
                              {"gradient_dead", FIGURE},
                              {"dormant", FIGURE},
                              {"saturated", FIGURE},
                              {"mean", FIGURE},
                              {"variance", FIGURE},
                              {"gradient_norm", FIGURE},
                              {"update_ratio", FIGURE},
                              {0}};
static const field end[] = {{"test_loss", FIGURE},     {"test_accuracy", FIGURE},
                            {"test_macro_f1", FIGURE}, {"seconds", FIGURE},
                            {"images_per_s", FIGURE},  {"peak_mib", FIGURE},
                            {"digest", TEXT},          {0}};
static const field failure[] = {{"failure", TEXT}, {"reason", TEXT}, {0}};
static const field description[] = {{"act", TEXT},
                                    {"norm", TEXT},
                                    {"init", TEXT},
                                    {"plugins", TEXT},
                                    {"parameters", COUNT},
                                    {"multiply_adds", COUNT},
                                    {0}};
static const field list[] = {{"text", TEXT}, {0}};

static const struct {
    const char *type;
    const field *fields;
} reports[] = {{"progress", progress},       {"epoch", epoch}, {"result", end}, {"failed", failure},
               {"description", description}, {"list", list}};

enum { REPORTS = sizeof reports / sizeof *reports, MOST_LAYERS = 4096 };

static bool is_count(const json_t *value)
{
    return json_is_integer(value) && json_integer_value(value) >= 0;
}

static bool has_histogram(const json_t *of)
{
    size_t i;
    const json_t *bins = json_object_get(of, "histogram"), *bin;
    if (!json_is_number(json_object_get(of, "low")) || !json_is_number(json_object_get(of, "high")))
        return false;
    json_array_foreach(bins, i, bin)
    {
        if (!is_count(bin))
            return false;
    }
    return json_array_size(bins) == HK_HISTOGRAM_BINS;
}

static bool has_fields(const json_t *object, const field *fields);

static bool has_layers(const json_t *all)
{
    size_t i;
    const json_t *it;
    if (!json_is_array(all) || json_array_size(all) > MOST_LAYERS)
        return false;
    json_array_foreach(all, i, it)
    {
        if (!has_fields(it, layer) || (json_object_get(it, "histogram") && !has_histogram(it)))
            return false;
    }
    return true;
}

static bool is_of(form kind, const json_t *value)
{
    return kind == COUNT    ? is_count(value)
           : kind == FIGURE ? json_is_number(value) || json_is_null(value)
           : kind == TEXT   ? json_is_string(value)
                            : has_layers(value);
}

static bool has_fields(const json_t *object, const field *fields)
{
    while (fields->name && is_of(fields->form, json_object_get(object, fields->name)))
        fields++;
    return !fields->name;
}

const char *compare_message_fault(const json_t *report)
{
    const char *type = json_string_value(json_object_get(report, "type"));
    for (int i = 0; type && i < REPORTS; i++)
        if (strcmp(type, reports[i].type) == 0)
            return has_fields(report, reports[i].fields)
                       ? NULL
                       : "a report of it lacks what belongs there";
    return "a report of it is of no known type";
}

double compare_message_number(const json_t *object, const char *name)
{
    const json_t *value = json_object_get(object, name);
    return json_is_number(value) ? json_number_value(value) : (double)NAN;
}
