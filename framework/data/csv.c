/* Tables of numbers: one record a line, fields separated by commas, the label last or first.
 * Records become 1 x 1 images whose channels are the columns, so that every column is
 * standardised.
 *
 * A first line without a single number is a header and skipped. Labels are whole numbers, or names
 * when the first one is no number; named classes stand in the order of strcmp. Quotes are refused:
 * nothing that needs them is a number. */
#include "data/data.h"

#include "io/io.h"
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct record {
    char *fields, *label;
    size_t line;
} record;

typedef struct table {
    const char *path;
    char *text; /* the file, cut into lines and fields */
    record *records;
    size_t n;
    size_t columns;     /* without the label */
    const char **names; /* of the classes, sorted; NULL when labels are numbers */
    size_t classes;
} table;

static char *trim(char *text)
{
    text += strspn(text, " \t");
    size_t length = strlen(text);
    while (length > 0 && strchr(" \t\r", text[length - 1]))
        text[--length] = '\0';
    return text;
}

/* ---- Lines ----------------------------------------------------------------------------------- */

static hk_status check_text(const char *path, const uint8_t *bytes, size_t size)
{
    const char *found = hki_recognise(bytes, size);
    if (!found || strcmp(found, "a text file") != 0)
        return hki_fail(HK_BAD_DATA, "%s: this is %s, expected a CSV file", path,
                        found ? found : "no text");
    if (memchr(bytes, '\0', size))
        return hki_fail(HK_BAD_DATA, "%s: has a zero byte, expected a CSV file", path);
    if (memchr(bytes, '"', size))
        return hki_fail(HK_BAD_DATA,
                        "%s: has quotes, expected plain numbers and labels between commas", path);
    return HK_OK;
}

static hk_status add_record(table *t, char *line, size_t number, bool label_first)
{
    size_t columns = 0;
    for (const char *c = line; *c; c++)
        columns += *c == ',';
    if (t->n == 0)
        t->columns = columns;
    if (columns < 1 || columns != t->columns)
        return hki_fail(HK_BAD_DATA, "%s: line %zu has %zu fields, expected %s%zu", t->path, number,
                        columns + 1, columns < 1 ? "at least " : "",
                        columns < 1 ? (size_t)2 : t->columns + 1);
    char *comma = label_first ? strchr(line, ',') : strrchr(line, ',');
    *comma = '\0';
    record *r = &t->records[t->n++];
    r->fields = label_first ? comma + 1 : line;
    r->label = trim(label_first ? line : comma + 1);
    r->line = number;
    return HK_OK;
}

static hk_status cut_lines(table *t, bool label_first)
{
    size_t lines = 1, number = 0;
    for (const char *c = t->text; *c; c++)
        lines += *c == '\n';
    t->records = hki_alloc_array(lines, sizeof *t->records);
    if (!t->records)
        return HK_NO_MEMORY;
    char *rest = t->text;
    if (strncmp(rest, "\xef\xbb\xbf", 3) == 0)
        rest += 3; /* a byte order mark */
    for (char *line; (line = strsep(&rest, "\n"));) {
        number++;
        line = trim(line);
        hk_status status = *line ? add_record(t, line, number, label_first) : HK_OK;
        if (status)
            return status;
    }
    return HK_OK;
}

/* Drops the first record if none of its fields is a number. */
static hk_status drop_header(table *t)
{
    bool header = t->n > 0;
    for (const char *at = header ? t->records[0].fields : NULL; at; at = strchr(at, ',')) {
        char text[64];
        double value;
        at += *at == ',';
        size_t length = strcspn(at, ",");
        if (length >= sizeof text)
            continue;
        memcpy(text, at, length);
        text[length] = '\0';
        header = header && !hki_parse_double(trim(text), &value);
    }
    if (header)
        memmove(t->records, t->records + 1, --t->n * sizeof *t->records);
    return t->n ? HK_OK : hki_fail(HK_BAD_DATA, "%s: has no records", t->path);
}

/* ---- Labels ---------------------------------------------------------------------------------- */

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static hk_status bad_label(const table *t, const record *r, const char *expected)
{
    return hki_fail(HK_BAD_DATA, "%s: line %zu: label \"%.64s\", expected %s", t->path, r->line,
                    r->label, expected);
}

static hk_status collect_names(table *t)
{
    t->names = hki_alloc_array(t->n, sizeof *t->names);
    if (!t->names)
        return HK_NO_MEMORY;
    for (size_t i = 0; i < t->n; i++) {
        if (!t->records[i].label[0])
            return bad_label(t, &t->records[i], "a name");
        t->names[i] = t->records[i].label;
    }
    qsort(t->names, t->n, sizeof *t->names, compare_names);
    for (size_t i = 0; i < t->n; i++)
        if (i == 0 || strcmp(t->names[i], t->names[t->classes - 1]) != 0)
            t->names[t->classes++] = t->names[i];
    return HK_OK;
}

static hk_status count_classes(table *t)
{
    int64_t label;
    if (!hki_parse_int(t->records[0].label, INT64_MIN, INT64_MAX, &label))
        return collect_names(t);
    for (size_t i = 0; i < t->n; i++) {
        if (!hki_parse_int(t->records[i].label, 0, HKI_MAX_CLASSES - 1, &label))
            return bad_label(t, &t->records[i], "a whole number 0..65535");
        if ((size_t)label >= t->classes)
            t->classes = (size_t)label + 1;
    }
    return HK_OK;
}

/* ---- Numbers --------------------------------------------------------------------------------- */

static hk_status parse_fields(const table *t, const record *r, float *x)
{
    const double most = (double)FLT_MAX / 2; /* so that a difference is still a number */
    char *rest = r->fields;
    for (size_t c = 0; c < t->columns; c++) {
        double value;
        char *field = trim(strsep(&rest, ","));
        if (!hki_parse_double(field, &value) || fabs(value) > most)
            return hki_fail(HK_BAD_DATA,
                            "%s: line %zu: \"%.64s\" in column %zu of the features, "
                            "expected a number",
                            t->path, r->line, field, c + 1);
        x[c] = (float)value;
    }
    return HK_OK;
}

static hk_status convert(const table *t, hk_data **out)
{
    if (t->classes > HKI_MAX_CLASSES || t->columns > HKI_MAX_SIDE)
        return hki_fail(HK_BAD_DATA, "%s: %zu columns and %zu classes, expected at most %d and %d",
                        t->path, t->columns, t->classes, HKI_MAX_SIDE, HKI_MAX_CLASSES);
    hk_data_shape shape = {(int64_t)t->n, 1, 1, (int)t->columns, (int)t->classes};
    hk_status status = hki_data_new(shape, HKI_FLOATS, out);
    if (status == HK_OK && t->names)
        status = hki_data_name(*out, t->names);
    for (size_t i = 0; i < t->n && status == HK_OK; i++) {
        const char *label = t->records[i].label;
        int64_t number = 0;
        if (t->names)
            number = (const char **)bsearch(&label, t->names, t->classes, sizeof *t->names,
                                            compare_names) -
                     t->names;
        else
            hki_parse_int(label, 0, HKI_MAX_CLASSES - 1, &number);
        (*out)->labels[i] = (int32_t)number;
        status = parse_fields(t, &t->records[i], (*out)->floats + i * t->columns);
    }
    return status;
}

hk_status hki_csv_parse(const char *path, const uint8_t *bytes, size_t size, bool label_first,
                        hk_data **out)
{
    *out = NULL;
    hk_status status = check_text(path, bytes, size);
    if (status)
        return status;
    table t = {.path = path, .text = hki_alloc(size + 1)};
    if (!t.text)
        return HK_NO_MEMORY;
    memcpy(t.text, bytes, size);
    status = cut_lines(&t, label_first);
    if (status == HK_OK)
        status = drop_header(&t);
    if (status == HK_OK)
        status = count_classes(&t);
    if (status == HK_OK)
        status = convert(&t, out);
    if (status) {
        hk_data_free(*out);
        *out = NULL;
    }
    hki_free(t.names);
    hki_free(t.records);
    hki_free(t.text);
    return status;
}

hk_status hki_csv_open(const char *path, const double *values, hk_data **train, hk_data **test)
{
    uint8_t *bytes;
    size_t size;
    hk_status status = hki_file_read_maybe_gzip(path, HKI_MAX_DATA_BYTES, &bytes, &size);
    if (status)
        return status;
    status = hki_csv_parse(path, bytes, size, values[HKI_CSV_LABEL] > 0, train);
    hki_free(bytes);
    return status
               ? status
               : hk_data_split(*train, values[HKI_CSV_TEST], (uint64_t)values[HKI_CSV_SEED], test);
}
