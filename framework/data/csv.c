/* Tables of numbers with a label a record: files of commas, semicolons, tabs or bars (table.c).
 * Records become 1 x 1 images whose channels are the columns, so that each column is standardised by
 * itself; with height= and width= they are images, pixel by pixel, row by row.
 *
 * Beside the text, reading takes 16 bytes a record and the numbers themselves: 4 bytes each, 1 where
 * images hold whole numbers of 0 to 255. */
#include "data/data.h"

#include "data/classes.h"
#include "data/table.h"
#include "io/io.h"
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* What a file's records are read as. The test file of a set is read as its training file was. */
typedef struct layout {
    int64_t label;    /* column; -1: none */
    bool real;        /* that column holds numbers to learn, not classes */
    size_t *features; /* columns, in order */
    size_t n_features;
    hki_classes classes;
    hk_data_shape shape; /* n of the file at hand */
    hki_pixels pixels;
    const hk_card *card; /* of the net that the samples are for; NULL: a set to learn from */
} layout;

/* ---- Columns --------------------------------------------------------------------------------- */

/* Where names do not say it: all columns, or all but the one where the label was. */
static hk_status columns_by_place(const hki_table *t, size_t features, layout *l)
{
    int64_t label = (int64_t)t->columns - 1, number;
    const char *known = l->card->label;
    if (t->columns != features && t->columns != features + 1)
        return hki_fail(HK_BAD_DATA, "%s: %zu columns, the net learned from %zu%s", t->path,
                        t->columns, features,
                        l->card->feature_names && !t->header ? "; a header would name them" : "");
    if (known && !strncmp(known, "column ", 7) &&
        hki_parse_int(known + 7, 1, (int64_t)t->columns, &number))
        label = number - 1;
    l->label = t->columns == features ? -1 : label;
    for (size_t c = 0; c < t->columns; c++)
        if ((int64_t)c != l->label)
            l->features[l->n_features++] = c;
    return HK_OK;
}

/* The columns that the card names, in its order; others are passed over. */
static hk_status columns_of_card(const hki_table *t, const hki_csv_options *o, layout *l)
{
    char known[512];
    const hk_card *card = l->card = o->card;
    l->real = card->target_deviation > 0;
    const size_t features = o->height ? (size_t)o->height * (size_t)o->width * (size_t)o->channels
                                      : (size_t)o->channels;
    l->features = hki_alloc_array(t->columns + features, sizeof *l->features);
    if (!l->features)
        return HK_NO_MEMORY;
    if (!t->header || !card->feature_names)
        return columns_by_place(t, features, l);
    l->label = card->label ? hki_table_find(t, card->label) : -1;
    for (int i = 0; i < card->channels; i++) {
        int64_t column = hki_table_find(t, card->feature_names[i]);
        if (column < 0)
            return hki_fail(
                HK_BAD_DATA, "%s: no column \"%.64s\", which the net learned from; there are: %s",
                t->path, card->feature_names[i], hki_table_names(t, known, sizeof known));
        l->features[l->n_features++] = (size_t)column;
    }
    return HK_OK;
}

static hk_status choose_columns(const hki_table *t, const hki_csv_options *o, layout *l)
{
    if (o->card)
        return columns_of_card(t, o, l);
    char name[HKI_MAX_NAME];
    size_t length;
    bool *left_out = hki_alloc(t->columns);
    l->features = hki_alloc_array(t->columns, sizeof *l->features);
    hk_status status = left_out && l->features ? HK_OK : HK_NO_MEMORY;
    const char *learned = o->target ? o->target : o->label;
    l->real = o->target;
    l->label = -1;
    if (!status && strcmp(learned, "none") != 0 && (l->label = hki_table_column(t, learned)) < 0)
        status = hk_last_status();
    if (!status && l->label >= 0)
        left_out[l->label] = true;
    for (const char *word = hki_next_word(o->drop, '+', &length); word && !status;
         word = hki_next_word(word + length, '+', &length)) {
        snprintf(name, sizeof name, "%.*s", (int)length, word);
        int64_t column = hki_table_column(t, name);
        if (column < 0)
            status = hk_last_status();
        else
            left_out[column] = true;
    }
    for (size_t c = 0; c < t->columns && !status; c++)
        if (!left_out[c])
            l->features[l->n_features++] = c;
    if (!status && l->n_features == 0)
        status = hki_fail(HK_BAD_DATA,
                          "%s: has %zu fields in a record, expected a feature beside the label",
                          t->path, t->columns);
    hki_free(left_out);
    return status;
}

/* ---- Classes --------------------------------------------------------------------------------- */

static hk_status fail_field(const hki_table *t, size_t column, const char *expected)
{
    char own[80], name[80];
    return hki_fail(HK_BAD_DATA, "%s: line %zu: \"%s\" in %s, expected %s", t->path, t->line,
                    hki_field_text(&t->fields[column], own, sizeof own),
                    hki_table_column_text(t, column, name, sizeof name), expected);
}

/* Every label is there, and the labels are all whole numbers or not all numbers. */
static hk_status check_labels(hki_table *t, size_t column, bool *numbers)
{
    double value, real = 0;
    char name[80];
    *numbers = true;
    for (hki_table_rewind(t); hki_table_next(t);) {
        if (t->fields[column].length == 0)
            return fail_field(t, column, "a label");
        if (!hki_field_number(t, &t->fields[column], &value))
            *numbers = false;
        else if (value != floor(value) || fabs(value) > 1e15)
            real = value;
    }
    if (*numbers && real != 0)
        return hki_fail(
            HK_BAD_DATA,
            "%s: %s holds real numbers such as %g, expected classes: words or whole numbers; target=%s "
            "learns the numbers",
            t->path, hki_table_column_text(t, column, name, sizeof name), real,
            t->header ? name : "last");
    return HK_OK;
}

static hk_status find_classes(hki_table *t, layout *l)
{
    bool numbers;
    size_t i = 0, column = (size_t)l->label;
    if (l->label < 0 || l->card || l->real) {
        l->classes.n = l->card ? (size_t)l->card->classes : 1;
        return HK_OK;
    }
    hk_status status = check_labels(t, column, &numbers);
    if (status)
        return status;
    int64_t *values = numbers ? hki_alloc_array(t->records, sizeof *values) : NULL;
    hki_word *words = numbers ? NULL : hki_alloc_array(t->records, sizeof *words);
    if (!values && !words)
        return HK_NO_MEMORY;
    for (hki_table_rewind(t); hki_table_next(t); i++) {
        double value = 0;
        if (words)
            words[i] = (hki_word){t->fields[column].at, t->fields[column].length};
        else if (hki_field_number(t, &t->fields[column], &value))
            values[i] = (int64_t)value;
    }
    status = words ? hki_classes_of_words(words, i, &l->classes)
                   : hki_classes_of_numbers(values, i, &l->classes);
    hki_free(words);
    hki_free(values);
    return status;
}

/* By the names of the net's classes, which for numbers are their digits. An empty label is none. */
static int32_t class_of_card(const hki_table *t, const hki_field *field, const hk_card *card)
{
    char own[HKI_MAX_NAME], digits[32] = "";
    double value;
    const char *text = hki_field_text(field, own, sizeof own);
    if (hki_field_number(t, field, &value) && value == floor(value) && fabs(value) <= 1e15)
        snprintf(digits, sizeof digits, "%lld", (long long)value);
    for (int k = 0; k < card->classes && card->class_names; k++)
        if (!strcmp(card->class_names[k], text) || !strcmp(card->class_names[k], digits))
            return k;
    return -1;
}

/* The class of the record at hand; -1 when the training set has none of this name. */
static int32_t class_of(const hki_table *t, const layout *l)
{
    char own[HKI_MAX_NAME];
    double value;
    const hki_field *field = &t->fields[l->label];
    if (l->card)
        return class_of_card(t, field, l->card);
    if (l->classes.names && !l->classes.numbers)
        return hki_class_of_word(&l->classes, hki_field_text(field, own, sizeof own));
    return hki_field_number(t, field, &value) && value == floor(value) && fabs(value) <= 1e15
               ? hki_class_of_number(&l->classes, (int64_t)value)
               : -1;
}

/* ---- Numbers --------------------------------------------------------------------------------- */

/* Columns of a table, or images of the size that was asked for; whether they fit bytes. */
static hk_status choose_shape(hki_table *t, const hki_csv_options *o, layout *l)
{
    double value;
    if (l->classes.n > HKI_MAX_CLASSES)
        return hki_fail(HK_BAD_DATA, "%s: %zu classes, expected at most %d", t->path, l->classes.n,
                        HKI_MAX_CLASSES);
    l->shape = (hk_data_shape){(int64_t)t->records, 1, 1, (int)l->n_features, (int)l->classes.n};
    l->pixels = HKI_FLOATS;
    if (!o->height && !o->width)
        return HK_OK;
    size_t pixels = (size_t)o->height * (size_t)o->width * (size_t)o->channels;
    if (!o->height || !o->width || pixels != l->n_features)
        return hki_fail(
            HK_BAD_DATA,
            "%s: %zu features, expected %d x %d x %d = %zu for height=%d,width=%d,channels=%d",
            t->path, l->n_features, o->height, o->width, o->channels, pixels, o->height, o->width,
            o->channels);
    l->shape.height = o->height;
    l->shape.width = o->width;
    l->shape.channels = o->channels;
    l->pixels = HKI_BYTES;
    for (hki_table_rewind(t); l->pixels == HKI_BYTES && hki_table_next(t);)
        for (size_t c = 0; c < l->n_features; c++)
            if (!hki_field_number(t, &t->fields[l->features[c]], &value) || value < 0 ||
                value > 255 || value != floor(value))
                l->pixels = HKI_FLOATS;
    return HK_OK;
}

#define MOST ((double)FLT_MAX / 2) /* a number of a table, so that a difference is still one */

/* The class, or the number, that the record at hand should lead to; a net's samples may have none. */
static hk_status fill_label(const hki_table *t, const layout *l, size_t row, hk_data *data)
{
    double value = (double)NAN;
    const bool given = l->label >= 0 && (!l->card || t->fields[l->label].length > 0);
    if (l->real) {
        if (given && (!hki_field_number(t, &t->fields[l->label], &value) || fabs(value) > MOST))
            return fail_field(t, (size_t)l->label, "a number to learn");
        data->targets[row] = (float)value;
        return HK_OK;
    }
    data->labels[row] = given ? class_of(t, l) : l->card ? -1 : 0;
    if (given && data->labels[row] < 0)
        return fail_field(t, (size_t)l->label,
                          l->card ? "a class of the net" : "a class of the training set");
    return HK_OK;
}

static hk_status fill(hki_table *t, const layout *l, hk_data *data)
{
    size_t at = 0, row = 0;
    for (hki_table_rewind(t); hki_table_next(t); row++) {
        hk_status status = fill_label(t, l, row, data);
        if (status)
            return status;
        for (size_t c = 0; c < l->n_features; c++, at++) {
            double value;
            if (!hki_field_number(t, &t->fields[l->features[c]], &value) || fabs(value) > MOST)
                return fail_field(t, l->features[c], "a number");
            if (data->bytes && (value < 0 || value > 255 || value != floor(value)))
                return fail_field(t, l->features[c],
                                  "a whole number 0..255 as in the training file");
            if (data->bytes)
                data->bytes[at] = (uint8_t)value;
            else
                data->floats[at] = (float)value;
        }
    }
    return HK_OK;
}

/* ---- What was understood --------------------------------------------------------------------- */

/* The first column that counts the records, as exported indices do; -1: none. */
static int64_t find_index(const hk_data *data)
{
    const size_t columns = (size_t)data->shape.channels, n = (size_t)data->shape.n;
    for (size_t c = 0; data->floats && n >= 10 && c < columns; c++) {
        size_t i = 1;
        while (i < n && data->floats[i * columns + c] == data->floats[c] + (float)i)
            i++;
        if (i == n)
            return (int64_t)c;
    }
    return -1;
}

/* Of sign * target, over the samples whose target is known. */
static float least_target(const hk_data *data, float sign)
{
    float least = FLT_MAX;
    for (int64_t i = 0; i < data->shape.n; i++)
        least = sign * data->targets[i] < least ? sign * data->targets[i] : least;
    return least;
}

static hk_status describe(const hki_table *t, const layout *l, hk_data *data)
{
    enum { SHOWN = 10 }; /* classes */
    char text[1024], name[80], *counts = (char[512]){""};
    hki_text out = {text, sizeof text, 0}, classes = {counts, 512, 0};
    const hk_data_shape *s = &data->shape;
    int64_t index = l->pixels == HKI_FLOATS ? find_index(data) : -1;
    int occurring = 0;
    for (int k = 0; k < s->classes && l->label >= 0 && !l->real; k++) {
        int64_t n = 0;
        for (int64_t i = 0; i < s->n; i++)
            n += data->labels[i] == k;
        occurring += n > 0;
        if (k < SHOWN)
            hki_say(&classes, "%s%s %lld", k ? ", " : "", data->names[k], (long long)n);
    }
    hki_say(&out, "%lld rows, ", (long long)s->n);
    if (s->height > 1 || s->width > 1)
        hki_say(&out, "images of %d x %d x %d", s->height, s->width, s->channels);
    else
        hki_say(&out, "%d features", s->channels);
    if (l->real && l->label >= 0)
        hki_say(&out, ", target: %s (%g to %g)",
                hki_table_column_text(t, (size_t)l->label, name, sizeof name),
                (double)least_target(data, 1), -(double)least_target(data, -1));
    else if (l->label >= 0)
        hki_say(&out, ", %d classes (%s%s), label: %s", s->classes, counts,
                s->classes > SHOWN ? ", ..." : "",
                hki_table_column_text(t, (size_t)l->label, name, sizeof name));
    else
        hki_say(&out, ", no labels");
    hki_say(&out, ", %s, delimiter %s", t->has_header ? "header skipped" : "no header",
            t->delimiter == '\t' ? "tab" : (char[]){t->delimiter, 0});
    if (index >= 0)
        hki_say(&out, "; note: %s counts the rows, drop=%s leaves it out",
                hki_table_column_text(t, l->features[index], name, sizeof name),
                t->header ? name : "N");
    if (l->label >= 0 && !l->real && occurring < 2)
        hki_say(&out, "; note: all rows are of one class");
    hki_free(data->about);
    data->about = hki_copy_text(text);
    return data->about ? HK_OK : HK_NO_MEMORY;
}

/* Names of columns and rows, for who uses the set. */
static hk_status name_parts(hki_table *t, const layout *l, hk_data *data)
{
    enum { ROW = 32 };
    char text[HKI_MAX_NAME];
    const size_t n = (size_t)data->shape.n, columns = l->n_features;
    if (l->label >= 0 && !(data->label = hki_copy_text(
                               hki_table_column_text(t, (size_t)l->label, text, sizeof text))))
        return HK_NO_MEMORY;
    if (t->header && data->shape.height == 1 && data->shape.width == 1) {
        char(*names)[HKI_MAX_NAME] = hki_alloc_array(columns, sizeof *names);
        const char **list = hki_alloc_array(columns, sizeof *list);
        for (size_t c = 0; c < columns && names && list; c++)
            list[c] = hki_field_text(&t->header[l->features[c]], names[c], HKI_MAX_NAME);
        data->features = names && list ? hki_copy_texts(list, columns) : NULL;
        hki_free(names);
        hki_free(list);
        if (!data->features)
            return HK_NO_MEMORY;
    }
    if (!l->card)
        return HK_OK;
    char **rows = data->samples = hki_alloc(n * (sizeof *rows + ROW));
    hki_table_rewind(t);
    for (size_t i = 0; rows && i < n && hki_table_next(t); i++) {
        rows[i] = (char *)(rows + n) + i * ROW;
        snprintf(rows[i], ROW, "line %zu", t->line);
    }
    return rows ? HK_OK : HK_NO_MEMORY;
}

/* ---- Files ----------------------------------------------------------------------------------- */

/* Reads records as `l` says, or, when `l` is new, as the options say, and says it in `l`. */
static hk_status read_table(const char *path, const uint8_t *bytes, size_t size,
                            const hki_csv_options *o, layout *l, hk_data **out)
{
    hki_table t;
    bool is_new = !l->features;
    *out = NULL;
    hk_status status = hki_table_open(path, bytes, size, o->header, &t);
    if (status)
        return status;
    if (is_new) {
        status = choose_columns(&t, o, l);
        if (!status)
            status = find_classes(&t, l);
        if (!status)
            status = choose_shape(&t, o, l);
    } else if (l->label >= (int64_t)t.columns || l->features[l->n_features - 1] >= t.columns) {
        status = hki_fail(HK_BAD_DATA, "%s: %zu columns, expected those of the training file", path,
                          t.columns);
    }
    l->shape.n = (int64_t)t.records;
    if (!status)
        status = hki_data_new(l->shape, l->pixels, out);
    const char *const *names =
        l->card ? l->card->class_names : (const char *const *)l->classes.names;
    if (!status && names)
        status = hki_data_name(*out, names);
    if (!status && l->real)
        status = hki_data_add_targets(*out);
    if (!status)
        status = fill(&t, l, *out);
    if (!status)
        status = describe(&t, l, *out);
    if (!status)
        status = name_parts(&t, l, *out);
    if (status) {
        hk_data_free(*out);
        *out = NULL;
    }
    hki_table_clear(&t);
    return status;
}

static void clear_layout(layout *l)
{
    hki_free(l->features);
    hki_classes_clear(&l->classes);
}

hk_status hki_csv_parse(const char *path, const uint8_t *bytes, size_t size,
                        const hki_csv_options *options, hk_data **out)
{
    layout l = {0};
    hk_status status = read_table(path, bytes, size, options, &l, out);
    clear_layout(&l);
    return status;
}

/* test= is a share of the records, drawn by seed=, or another file. */
static hk_status open_test(const hki_request *request, const hki_csv_options *o, layout *l,
                           hk_data **train, hk_data **test)
{
    char name[HKI_MAX_NAME];
    double share = 0.2;
    uint8_t *bytes;
    size_t size;
    const char *given = hki_request_text(request, HKI_CSV_TEST, NULL, name);
    if (given && !strcmp(given, "all")) {
        if (!request->test_alone)
            return hki_fail(HK_BAD_ARGUMENT,
                            "%s: test=all leaves nothing to train on; it is for nets that are "
                            "trained already",
                            request->path);
        *test = *train;
        *train = NULL;
        return HK_OK;
    }
    if (!given || hki_parse_double(given, &share))
        return hki_data_keep_test(request->path, *train, share, request->values[HKI_CSV_SEED],
                                  test);
    hk_status status =
        hki_file_read_maybe_gzip(given, hki_table_judge, HKI_MAX_DATA_BYTES, &bytes, &size);
    if (status)
        return status;
    status = read_table(given, bytes, size, o, l, test);
    hki_free(bytes);
    return status;
}

hk_status hki_csv_open(const hki_request *request, hk_data **train, hk_data **test)
{
    char label[HKI_MAX_NAME], target[HKI_MAX_NAME], drop[HKI_MAX_NAME];
    const double *values = request->values;
    if (values[HKI_CSV_LABEL] > 0 && values[HKI_CSV_TARGET] > 0)
        return hki_fail(HK_BAD_ARGUMENT,
                        "%s: label= and target= exclude each other: classes or numbers are learned",
                        request->path);
    const hki_csv_options options = {
        .label = hki_request_text(request, HKI_CSV_LABEL, "last", label),
        .target = hki_request_text(request, HKI_CSV_TARGET, NULL, target),
        .drop = hki_request_text(request, HKI_CSV_DROP, "", drop),
        .height = (int)values[HKI_CSV_HEIGHT],
        .width = (int)values[HKI_CSV_WIDTH],
        .channels = (int)values[HKI_CSV_CHANNELS],
        .header = (hki_header)values[HKI_CSV_HEADER]};
    layout l = {0};
    uint8_t *bytes;
    size_t size;
    hk_status status =
        hki_file_read_maybe_gzip(request->path, hki_table_judge, HKI_MAX_DATA_BYTES, &bytes, &size);
    if (status)
        return status;
    status = read_table(request->path, bytes, size, &options, &l, train);
    hki_free(bytes);
    if (!status)
        status = open_test(request, &options, &l, train, test);
    clear_layout(&l);
    return status;
}
