/* The table of figures, and figures as JSON. */
#include "compare/figures.h"
#include "output.h"

#include <math.h>
#include <string.h>

#define ROW(record, member, its_form, ...)                                                         \
    {                                                                                              \
        .name = #member, .form = FIGURE_##its_form, .offset = offsetof(record, member),            \
        .size = sizeof(((record *)0)->member), __VA_ARGS__                                         \
    }
#define RUN(...) ROW(run_record, __VA_ARGS__)
#define EPOCH(...) ROW(epoch_record, __VA_ARGS__)
#define LAYER(...) ROW(layer_record, __VA_ARGS__)
enum { MACHINE = FIGURE_OF_MACHINE, OPTIONAL = FIGURE_OPTIONAL };

/* The test set is used once, after the last epoch. */
const figure compare_run_figures[] = {
    RUN(test_loss, REAL, .csv = 3),
    RUN(test_accuracy, SHARE, .csv = 1),
    RUN(test_macro_f1, SHARE, .csv = 2),
    RUN(test_floor, SHARE, .flags = OPTIONAL | FIGURE_SIGNED), /* of regression, an R2 */
    RUN(test_r2, SHARE, .flags = OPTIONAL | FIGURE_SIGNED),
    RUN(test_rmse, REAL, .flags = OPTIONAL),
    RUN(early_accuracy, SHARE, .flags = OPTIONAL), /* of a stream of tasks */
    RUN(late_accuracy, SHARE, .flags = OPTIONAL),
    RUN(quantised_score, SHARE, .flags = OPTIONAL | FIGURE_SIGNED),
    RUN(quantised_constant, SHARE, .flags = OPTIONAL),
    RUN(seconds, REAL, .flags = MACHINE, .csv = 8),
    RUN(images_per_s, REAL, .flags = MACHINE, .csv = 9),
    RUN(peak_mib, REAL, .flags = MACHINE, .csv = 10),
    RUN(digest, TEXT, ),
    RUN(constant, TEXT, .flags = OPTIONAL),
    {.name = NULL},
};

/* In the CSV: those of the last epoch. */
const figure compare_epoch_figures[] = {
    EPOCH(train_loss, REAL, .csv = 4),
    EPOCH(training_loss, REAL, .flags = OPTIONAL),
    EPOCH(training_accuracy, SHARE, .flags = OPTIONAL),
    EPOCH(training_r2, SHARE, .flags = OPTIONAL | FIGURE_SIGNED),
    EPOCH(loss, REAL, .csv = 5, .report_name = "validation_loss"),
    EPOCH(accuracy, SHARE, .csv = 6, .report_name = "validation_accuracy"),
    EPOCH(macro_f1, SHARE, .report_name = "validation_macro_f1"),
    EPOCH(r2, SHARE, .flags = OPTIONAL | FIGURE_SIGNED, .report_name = "validation_r2"),
    EPOCH(online_accuracy, SHARE, .flags = OPTIONAL),
    EPOCH(effective_rank, REAL, .flags = OPTIONAL),
    EPOCH(weight_magnitude, REAL, .flags = OPTIONAL),
    EPOCH(seconds, REAL, .flags = MACHINE),
    EPOCH(images_per_s, REAL, .flags = MACHINE),
    {.name = NULL},
};

/* In the CSV: means over the units of all layers, at the last epoch. */
const figure compare_layer_figures[] = {
    LAYER(layer, TEXT, ),
    LAYER(units, INTEGER, ),
    LAYER(dead, SHARE, .csv = 7, .label = "dead", .column = "no_gradient"),
    LAYER(never_positive, SHARE, .label = "never above 0", .column = "dead"), /* as since 0.1 */
    LAYER(gradient_dead, SHARE, .label = "gradient-dead"),
    LAYER(dormant, SHARE, .label = "dormant"),
    LAYER(saturated, SHARE, .label = "saturated"),
    LAYER(mean, REAL, .label = "mean"),
    LAYER(variance, REAL, .label = "variance"),
    LAYER(gradient_norm, REAL, .label = "gradient norm"),
    LAYER(update_ratio, REAL, .label = "update ratio"),
    LAYER(low, REAL, .flags = OPTIONAL),
    LAYER(high, REAL, .flags = OPTIONAL),
    LAYER(histogram, COUNTS, .flags = OPTIONAL),
    {.name = NULL},
};

static void *member(const figure *f, const void *record)
{
    return (char *)record + f->offset;
}

const char *compare_figure_column(const figure *f)
{
    return f->column ? f->column : f->name;
}

int compare_figure_index(const figure *table, size_t offset)
{
    int i = 0;
    while (table[i].offset != offset)
        i++;
    return i;
}

double compare_figure_value(const figure *f, const void *record)
{
    const bool real = f->form == FIGURE_REAL || f->form == FIGURE_SHARE;
    return real                        ? *(double *)member(f, record)
           : f->form == FIGURE_INTEGER ? (double)*(int64_t *)member(f, record)
                                       : (double)NAN;
}

double compare_run_score(const run_record *run)
{
    return isfinite(run->late_accuracy) ? run->late_accuracy
           : isnan(run->test_accuracy)  ? run->test_r2
                                        : run->test_accuracy;
}

double compare_last_score(const run_record *run)
{
    const epoch_record *last = run->n_epochs ? &run->epochs[run->n_epochs - 1] : NULL;
    if (isfinite(run->late_accuracy))
        return run->late_accuracy;
    return !last ? (double)NAN : isnan(last->accuracy) ? last->r2 : last->accuracy;
}

void compare_figures_clear(const figure *table, void *record)
{
    for (const figure *f = table; f->name; f++) {
        memset(member(f, record), 0, f->size);
        if (f->form == FIGURE_REAL || f->form == FIGURE_SHARE)
            *(double *)member(f, record) = (double)NAN;
        if (f->form == FIGURE_COUNTS)
            *(int64_t *)member(f, record) = -1;
    }
}

static json_t *value_json(const figure *f, const void *record)
{
    const int64_t *integers = member(f, record);
    const char *text = member(f, record);
    switch (f->form) {
    case FIGURE_INTEGER: return json_integer(*integers);
    case FIGURE_TEXT: return tool_json_text(*text ? text : NULL);
    case FIGURE_COUNTS: break;
    default: return tool_json_number(compare_figure_value(f, record));
    }
    json_t *counts = *integers < 0 ? json_null() : json_array();
    for (size_t i = 0; i < f->size / sizeof *integers; i++)
        json_array_append_new(counts, json_integer(integers[i])); /* null takes none */
    return counts;
}

void compare_figures_to_json(json_t *to, const figure *table, const void *record, figure_use use)
{
    for (const figure *f = table; f->name; f++) {
        if (use == FIGURES_CANONICAL && f->flags & FIGURE_OF_MACHINE)
            continue;
        json_t *value = value_json(f, record);
        if (f->flags & FIGURE_OPTIONAL && json_is_null(value))
            continue;
        json_object_set_new(
            to, use == FIGURES_REPORTED && f->report_name ? f->report_name : f->name, value);
    }
}

static bool is_count(const json_t *value)
{
    return json_is_integer(value) && json_integer_value(value) >= 0;
}

static bool fits(const figure *f, const json_t *value)
{
    if (!value)
        return f->flags & FIGURE_OPTIONAL;
    if (f->form == FIGURE_INTEGER)
        return is_count(value);
    if (f->form == FIGURE_TEXT)
        return json_is_string(value) && (!f->size || json_string_length(value) < f->size);
    if (f->form == FIGURE_COUNTS) {
        const size_t n = json_array_size(value);
        size_t good = 0;
        while (good < n && is_count(json_array_get(value, good)))
            good++;
        return good == n && n == f->size / sizeof(int64_t);
    }
    const double number = json_number_value(value);
    if (f->form == FIGURE_SHARE && (number > 1 || (number < 0 && !(f->flags & FIGURE_SIGNED))))
        return false;
    return json_is_null(value) || (json_is_number(value) && fabs(number) <= FIGURE_MOST);
}

bool compare_figures_fit(const figure *table, const json_t *object)
{
    while (table->name && fits(table, json_object_get(object, table->name)))
        table++;
    return !table->name;
}

void compare_figures_from_json(const figure *table, const json_t *from, void *record)
{
    compare_figures_clear(table, record);
    for (const figure *f = table; f->name; f++) {
        const json_t *value = json_object_get(from, f->name);
        int64_t *integers = member(f, record);
        if (f->form == FIGURE_TEXT)
            snprintf(member(f, record), f->size, "%s",
                     json_is_string(value) ? json_string_value(value) : "");
        else if (f->form == FIGURE_INTEGER)
            *integers = json_integer_value(value);
        else if (f->form == FIGURE_COUNTS)
            for (size_t i = 0; i < json_array_size(value); i++)
                integers[i] = json_integer_value(json_array_get(value, i));
        else if (json_is_number(value))
            *(double *)member(f, record) = json_number_value(value) + 0.0; /* -0 is kept as 0 */
    }
}
