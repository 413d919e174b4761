/* data/table.h - a table in a text file, RFC 4180: records of fields between delimiters, a field in
 * quotes where it holds one. The delimiter, and whether the first record is a header, are found from
 * the file. Records are walked, twice if need be; nothing is kept of them, so that a table takes no
 * memory beside its text. */
#pragma once
#include "io/io.h"

enum { HKI_MAX_COLUMNS = 65536 };

/* A field of a record: inside the text, without its outer quotes. */
typedef struct hki_field {
    const char *at;
    size_t length;
    bool quoted;
} hki_field;

typedef struct hki_table {
    const char *path; /* for messages */
    const char *text, *end, *first;
    char delimiter; /* , ; | or a tab */
    bool has_header;
    size_t columns, records; /* records: without the header */
    hki_field *header;       /* [columns]; NULL without */
    hki_field *fields;       /* [columns]: of the record at hand */
    size_t record, line;     /* of it: number from 0, and line in the file from 1 */
    const char *at;          /* behind it */
    size_t next_line;
} hki_table;

typedef enum hki_header { HKI_HEADER_AUTO, HKI_HEADER_NO, HKI_HEADER_YES } hki_header;

/* Begins as a text does. */
hki_judge hki_table_judge;
/* Looks at the whole text once: every record has the same number of fields. The text must outlive
 * the table, which is cleared by hki_table_clear() in any case. HK_BAD_DATA: no text, another kind
 * of file, no record, a record of another length, a quote that does not end, with the line. */
hk_status hki_table_open(const char *path, const uint8_t *text, size_t size, hki_header header,
                         hki_table *out);
void hki_table_clear(hki_table *table);

/* Walks the records: from the first one again; to the next one, false after the last. */
void hki_table_rewind(hki_table *table);
bool hki_table_next(hki_table *table);

/* A field as text, doubled quotes taken as one: as much as there is room for. */
const char *hki_field_text(const hki_field *field, char *out, size_t size);
/* A whole field as a finite number. Where a comma delimits nothing (in quotes, or in a table of
 * another delimiter) it may stand for the decimal point. */
bool hki_field_number(const hki_table *table, const hki_field *field, double *out);
bool hki_field_equals(const hki_field *field, const char *text);

/* The column of that name in the header; -1: none. The header's names, as many as fit. */
int64_t hki_table_find(const hki_table *table, const char *name);
const char *hki_table_names(const hki_table *table, char *out, size_t size);
/* The column that a text names: a name of the header, "first", "last", or a number from 1. -1 and
 * HK_BAD_ARGUMENT with the known names. */
int64_t hki_table_column(const hki_table *table, const char *name);
/* Its name, or "column 3", in out. */
const char *hki_table_column_text(const hki_table *table, size_t column, char *out, size_t size);
