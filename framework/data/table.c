/* Tables in text files (RFC 4180): delimiter and header found, records walked. */
#include "data/table.h"

#include "io/io.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { LOOKED_AT = 50 }; /* records that delimiter and header are judged by */

/* ---- Records --------------------------------------------------------------------------------- */

/* Cuts one record from `at`, of which at most `room` fields are kept, and says where the next one
 * begins: NULL when a quote does not end. Spaces around a field are no part of it. */
static const char *cut_record(const char *at, const char *end, char delimiter, hki_field *fields,
                              size_t room, size_t *count, size_t *lines)
{
    *count = 0;
    for (;;) {
        hki_field field = {0};
        while (at < end && (*at == ' ' || (*at == '\t' && delimiter != '\t')))
            at++;
        if (at < end && *at == '"') {
            field = (hki_field){.at = ++at, .quoted = true};
            while (at < end && (*at != '"' || (at + 1 < end && at[1] == '"'))) {
                *lines += *at == '\n';
                at += *at == '"' ? 2 : 1;
            }
            if (at >= end)
                return NULL;
            field.length = (size_t)(at++ - field.at);
            while (at < end && *at != delimiter && *at != '\n') /* stray text behind the quotes */
                at++;
        } else {
            field.at = at;
            while (at < end && *at != delimiter && *at != '\n')
                at++;
            const char *last = at;
            while (last > field.at && (last[-1] == ' ' || last[-1] == '\r' || last[-1] == '\t'))
                last--;
            field.length = (size_t)(last - field.at);
        }
        if (*count < room)
            fields[*count] = field;
        ++*count;
        if (at >= end || *at == '\n') {
            *lines += at < end;
            return at < end ? at + 1 : end;
        }
        at++; /* a delimiter */
    }
}

/* Lines without a character but spaces are no records. */
static const char *skip_blank(const char *at, const char *end, size_t *lines)
{
    for (const char *c = at; c < end && strchr(" \t\r\n", *c); c++)
        if (*c == '\n') {
            at = c + 1;
            ++*lines;
        } else if (c + 1 == end) {
            at = end;
        }
    return at;
}

void hki_table_rewind(hki_table *table)
{
    table->at = table->first;
    table->record = (size_t)-1;
    table->next_line = 1;
    if (table->has_header) {
        hki_table_next(table);
        table->record = (size_t)-1;
    }
}

bool hki_table_next(hki_table *table)
{
    size_t count;
    const char *at = skip_blank(table->at, table->end, &table->next_line);
    if (at >= table->end)
        return false;
    table->line = table->next_line;
    table->at = cut_record(at, table->end, table->delimiter, table->fields, table->columns, &count,
                           &table->next_line);
    table->record++;
    return true;
}

/* ---- Fields ---------------------------------------------------------------------------------- */

const char *hki_field_text(const hki_field *field, char *out, size_t size)
{
    size_t used = 0;
    for (size_t i = 0; i < field->length && used + 1 < size; i++) {
        out[used++] = field->at[i];
        i += field->quoted && field->at[i] == '"' && i + 1 < field->length;
    }
    out[used] = '\0';
    return out;
}

/* Digits with a point in or around them, as almost all numbers of tables are: both the digits and the
 * power of ten are exact in double, so their quotient is rounded once (Clinger 1990). */
static bool plain_number(const char *text, double *out)
{
    static const double powers[] = {1,   1e1, 1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                    1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};
    const bool negative = *text == '-';
    int64_t digits = 0;
    int n = 0, behind = 0;
    bool point = false;
    for (text += negative; *text; text++) {
        if (*text == '.' && !point) {
            point = true;
            continue;
        }
        if (*text < '0' || *text > '9' || ++n > 15)
            return false;
        digits = 10 * digits + (*text - '0');
        behind += point;
    }
    *out = (double)digits / powers[behind];
    *out = negative ? -*out : *out;
    return n > 0;
}

bool hki_field_number(const hki_table *table, const hki_field *field, double *out)
{
    char text[64];
    if (field->length == 0 || field->length >= sizeof text)
        return false;
    hki_field_text(field, text, sizeof text);
    char *comma = strchr(text, ',');
    if (comma && (field->quoted || table->delimiter != ',') && !strchr(text, '.'))
        *comma = '.';
    return plain_number(text, out) || hki_parse_double(text, out);
}

bool hki_field_equals(const hki_field *field, const char *text)
{
    char own[256];
    return strcmp(hki_field_text(field, own, sizeof own), text) == 0;
}

/* ---- Delimiter and header -------------------------------------------------------------------- */

/* The first of them that cuts every record looked at into the same number of fields, two or more. A
 * comma comes last: in a table of semicolons it may be the decimal point. */
static char find_delimiter(const char *first, const char *end)
{
    static const char known[] = "\t;|,";
    char most_fields = ',';
    size_t most = 1;
    for (const char *delimiter = known; *delimiter; delimiter++) {
        const char *at = first;
        size_t columns = 0, lines = 0;
        bool alike = true;
        for (int i = 0; i < LOOKED_AT && alike; i++) {
            size_t count;
            hki_field none;
            if ((at = skip_blank(at, end, &lines)) >= end)
                break;
            at = cut_record(at, end, *delimiter, &none, 0, &count, &lines);
            alike = at && (columns == 0 || count == columns);
            columns = columns ? columns : count;
            if (!at)
                break;
        }
        if (alike && columns > 1)
            return *delimiter;
        if (columns > most) {
            most = columns;
            most_fields = *delimiter;
        }
    }
    return most_fields;
}

static bool is_missing(const hki_field *field)
{
    static const char *const words[] = {"", "?", "NA", "N/A", "nan", "NaN", "null"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (hki_field_equals(field, words[i]))
            return true;
    return false;
}

/* The numbers of a record are 0 1 2 or 1 2 3, as exported frames call their columns; two at least. */
static bool counts_columns(const hki_table *t, const hki_field *fields)
{
    double value, next = -1;
    size_t numbers = 0;
    for (size_t c = 0; c < t->columns; c++)
        if (hki_field_number(t, &fields[c], &value)) {
            if (numbers ? value != next : value != 0 && value != 1)
                return false;
            next = value + 1;
            numbers++;
        }
    return numbers > 1;
}

/* The first record is a header if some column has a word there and numbers below it, nothing else, or
 * if it counts its columns and the second record does not. below[columns] is scratch. */
static bool looks_like_header(hki_table *t, const hki_field *first, char *below)
{
    enum { OTHER, NOTHING, NUMBERS };
    double value;
    bool found = false, counts = counts_columns(t, first);
    for (size_t c = 0; c < t->columns; c++)
        below[c] =
            is_missing(&first[c]) || hki_field_number(t, &first[c], &value) ? OTHER : NOTHING;
    for (int row = 0; row < LOOKED_AT && hki_table_next(t); row++) {
        found = counts && (row > 0 ? found : !counts_columns(t, t->fields));
        for (size_t c = 0; c < t->columns; c++)
            if (below[c] != OTHER && !is_missing(&t->fields[c]))
                below[c] = hki_field_number(t, &t->fields[c], &value) ? NUMBERS : OTHER;
    }
    for (size_t c = 0; c < t->columns; c++)
        found = found || below[c] == NUMBERS;
    return found;
}

static hk_status find_header(hki_table *t, hki_header header)
{
    hki_field *first = hki_alloc_array(t->columns, sizeof *first);
    char *below = hki_alloc(t->columns);
    hk_status status = first && below ? HK_OK : HK_NO_MEMORY;
    if (status == HK_OK) {
        hki_table_rewind(t);
        hki_table_next(t);
        memcpy(first, t->fields, t->columns * sizeof *first);
        t->has_header = header == HKI_HEADER_YES ||
                        (header == HKI_HEADER_AUTO && looks_like_header(t, first, below));
    }
    hki_free(below);
    if (t->has_header) {
        t->header = first;
        t->records--;
    } else {
        hki_free(first);
    }
    return status;
}

/* ---- Opening --------------------------------------------------------------------------------- */

static const char *delimiter_name(char delimiter)
{
    return delimiter == '\t'  ? "tabs"
           : delimiter == ';' ? "semicolons"
           : delimiter == '|' ? "bars"
                              : "commas";
}

/* Counts the records and makes room for one. */
static hk_status count_records(hki_table *t)
{
    hki_field none;
    size_t line = 1, count;
    for (const char *at = t->first; (at = skip_blank(at, t->end, &line)) < t->end; t->records++) {
        const size_t here = line;
        at = cut_record(at, t->end, t->delimiter, &none, 0, &count, &line);
        if (!at)
            return hki_fail(HK_BAD_DATA, "%s: line %zu: a quote begins here and does not end",
                            t->path, here);
        if (t->columns == 0 && (count < 1 || count > HKI_MAX_COLUMNS))
            return hki_fail(HK_BAD_DATA, "%s: line %zu has %zu fields, expected 1..%d", t->path,
                            here, count, HKI_MAX_COLUMNS);
        if (t->columns && count != t->columns)
            return hki_fail(HK_BAD_DATA,
                            "%s: line %zu has %zu fields between %s, expected %zu as in the first",
                            t->path, here, count, delimiter_name(t->delimiter), t->columns);
        t->columns = count;
    }
    if (t->records == 0)
        return hki_fail(HK_BAD_DATA, "%s: has no records", t->path);
    t->fields = hki_alloc_array(t->columns, sizeof *t->fields);
    return t->fields ? HK_OK : HK_NO_MEMORY;
}

hk_status hki_table_judge(const char *path, const uint8_t *head, size_t n_head, size_t size,
                          size_t *most)
{
    (void)size, (void)most;
    const char *found = hki_recognise(head, n_head);
    return found && strcmp(found, "a text file") == 0
               ? HK_OK
               : hki_fail(HK_BAD_DATA, "%s: this is %s, expected a table of text (CSV)", path,
                          found ? found : "no text");
}

hk_status hki_table_open(const char *path, const uint8_t *text, size_t size, hki_header header,
                         hki_table *out)
{
    *out = (hki_table){.path = path, .text = (const char *)text, .end = (const char *)text + size};
    hk_status status = hki_table_judge(path, text, size, size, NULL);
    if (status)
        return status;
    if (memchr(text, '\0', size))
        return hki_fail(HK_BAD_DATA, "%s: has a zero byte, expected a table of text (CSV)", path);
    out->first = out->text;
    if (size >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
        out->first += 3; /* a byte order mark */
    out->delimiter = find_delimiter(out->first, out->end);
    status = count_records(out);
    if (status == HK_OK)
        status = find_header(out, header);
    if (status == HK_OK && out->records == 0)
        status = hki_fail(HK_BAD_DATA, "%s: has a header and no records", path);
    if (status)
        hki_table_clear(out);
    else
        hki_table_rewind(out);
    return status;
}

void hki_table_clear(hki_table *table)
{
    hki_free(table->header);
    hki_free(table->fields);
    table->header = table->fields = NULL;
}

/* ---- Columns --------------------------------------------------------------------------------- */

const char *hki_table_column_text(const hki_table *table, size_t column, char *out, size_t size)
{
    if (table->header && table->header[column].length)
        return hki_field_text(&table->header[column], out, size);
    snprintf(out, size, "column %zu", column + 1);
    return out;
}

int64_t hki_table_find(const hki_table *table, const char *name)
{
    for (size_t c = 0; table->header && c < table->columns; c++)
        if (hki_field_equals(&table->header[c], name))
            return (int64_t)c;
    return -1;
}

const char *hki_table_names(const hki_table *table, char *out, size_t size)
{
    char own[64];
    *out = '\0';
    for (size_t c = 0; table->header && c < table->columns; c++)
        hki_add_name(out, size, hki_field_text(&table->header[c], own, sizeof own));
    return out;
}

int64_t hki_table_column(const hki_table *table, const char *name)
{
    char known[512];
    int64_t number = hki_table_find(table, name);
    if (number >= 0)
        return number;
    if (strcmp(name, "first") == 0)
        return 0;
    if (strcmp(name, "last") == 0)
        return (int64_t)table->columns - 1;
    if (hki_parse_int(name, 1, (int64_t)table->columns, &number))
        return number - 1;
    hki_table_names(table, known, sizeof known);
    hki_fail(HK_BAD_ARGUMENT, "%s: no column \"%.64s\"; known: first, last, 1..%zu%s%s",
             table->path, name, table->columns, *known ? ", " : "", known);
    return -1;
}
