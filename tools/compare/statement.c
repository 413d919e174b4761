/* Preparing, binding, stepping, figures as columns; and the sentence for each way in which a database
 * can fail. */
#include "compare/statement.h"
#include "options.h"
#include "output.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static int tell(const store *it)
{
    const bool unwritten = sqlite3_extended_errcode(it->db) == SQLITE_IOERR_WRITE;
    const int code = unwritten ? SQLITE_FULL : sqlite3_errcode(it->db) & 0xFF;
    const int number = sqlite3_system_errno(it->db);
    const char *why = number && code != SQLITE_BUSY ? strerror(number) : sqlite3_errmsg(it->db);
    switch (code) {
    case SQLITE_NOTADB: return tool_fail(EXIT_BAD_DATA, "%s: not a database of results", it->path);
    case SQLITE_CORRUPT:
        return tool_fail(EXIT_BAD_DATA, "%s: the database is damaged (%s)", it->path,
                         sqlite3_errmsg(it->db));
    case SQLITE_ERROR:
    case SQLITE_MISMATCH:
    case SQLITE_CONSTRAINT:
        return tool_fail(EXIT_BAD_DATA, "%s: the database is not as hillock made it (%s)", it->path,
                         sqlite3_errmsg(it->db));
    case SQLITE_FULL:
        return tool_fail(
            EXIT_IO, "%s: cannot be written: no space is left, or the file is too large", it->path);
    case SQLITE_NOMEM: return tool_fail(EXIT_FAILED, "%s: out of memory", it->path);
    default: return tool_fail(EXIT_IO, "%s: %s", it->path, why);
    }
}

/* ---- Statements ------------------------------------------------------------------------------ */

int compare_statement_failed(store *it)
{
    return it->status = tell(it);
}

void compare_statement_begin(store *it, const char *sql)
{
    it->status = EXIT_DONE;
    compare_statement_run(it, sql, "");
}

/* SQLite goes on writing to a file that has lost its name, and nobody would ever read it. */
static bool has_gone(const store *it)
{
    struct stat about;
    return it->file &&
           (stat(it->path, &about) != 0 || about.st_ino != it->file || about.st_dev != it->device);
}

int compare_statement_commit(store *it)
{
    if (!it->status && has_gone(it))
        it->status = tool_fail(
            EXIT_IO, "%s: was removed or replaced while compare was writing to it", it->path);
    compare_statement_run(it, "COMMIT", "");
    if (it->status && !sqlite3_get_autocommit(it->db))
        sqlite3_exec(it->db, "ROLLBACK", NULL, NULL, NULL);
    return it->status;
}

/* A NULL text is one for which memory was refused. */
static sqlite3_stmt *prepare(store *it, const char *sql, const char *types, va_list *values)
{
    sqlite3_stmt *to = NULL;
    if (!sql && !it->status)
        it->status = tool_no_memory();
    if (it->status)
        return NULL;
    int code = sqlite3_prepare_v2(it->db, sql, -1, &to, NULL);
    for (int i = 1; types[i - 1] && code == SQLITE_OK; i++)
        switch (types[i - 1]) {
        case 's':
            code = sqlite3_bind_text(to, i, va_arg(*values, const char *), -1, SQLITE_TRANSIENT);
            break;
        case 'i': code = sqlite3_bind_int64(to, i, va_arg(*values, int64_t)); break;
        default: code = sqlite3_bind_double(to, i, va_arg(*values, double));
        }
    if (code == SQLITE_OK)
        return to;
    compare_statement_failed(it);
    sqlite3_finalize(to);
    return NULL;
}

sqlite3_stmt *compare_statement_new(store *it, const char *sql, const char *types, ...)
{
    va_list values;
    va_start(values, types);
    sqlite3_stmt *statement = prepare(it, sql, types, &values);
    va_end(values);
    return statement;
}

bool compare_statement_next(store *it, sqlite3_stmt *statement)
{
    const int code = statement && !it->status ? sqlite3_step(statement) : SQLITE_DONE;
    if (code == SQLITE_ROW)
        return true;
    if (code != SQLITE_DONE)
        compare_statement_failed(it);
    sqlite3_finalize(statement);
    return false;
}

int compare_statement_run(store *it, const char *sql, const char *types, ...)
{
    va_list values;
    va_start(values, types);
    sqlite3_stmt *statement = prepare(it, sql, types, &values);
    va_end(values);
    while (compare_statement_next(it, statement))
        ;
    return it->status;
}

/* ---- Figures --------------------------------------------------------------------------------- */

const figure_columns compare_statement_tables[] = {{"runs", compare_run_figures},
                                                   {"epochs", compare_epoch_figures},
                                                   {"layers", compare_layer_figures},
                                                   {0}};

bool compare_statement_has(const store *it, const char *table, const char *column)
{
    return sqlite3_table_column_metadata(it->db, NULL, table, column, NULL, NULL, NULL, NULL,
                                         NULL) == SQLITE_OK;
}

int compare_statement_add_columns(store *it)
{
    static const char *const types[] = {[FIGURE_INTEGER] = "INTEGER",
                                        [FIGURE_REAL] = "REAL",
                                        [FIGURE_SHARE] = "REAL",
                                        [FIGURE_TEXT] = "TEXT",
                                        [FIGURE_COUNTS] = "TEXT"};
    for (const figure_columns *to = compare_statement_tables; to->table; to++)
        for (const figure *f = to->figures; f->name; f++) {
            if (compare_statement_has(it, to->table, compare_figure_column(f)))
                continue;
            char *sql = sqlite3_mprintf("ALTER TABLE %s ADD COLUMN %s %s", to->table,
                                        compare_figure_column(f), types[f->form]);
            compare_statement_run(it, sql, "");
            sqlite3_free(sql);
        }
    static const struct {
        const char *table, *column, *sql;
    } since[] = {{"sweeps", "most", "ALTER TABLE sweeps ADD COLUMN most INTEGER"},
                 {"sweeps", "seeds_before", "ALTER TABLE sweeps ADD COLUMN seeds_before INTEGER"},
                 {"rows", "recipe", "ALTER TABLE rows ADD COLUMN recipe TEXT"},
                 {"runs", "checksum", "ALTER TABLE runs ADD COLUMN checksum INTEGER"}};
    for (size_t i = 0; i < sizeof since / sizeof *since; i++)
        if (!compare_statement_has(it, since[i].table, since[i].column))
            compare_statement_run(it, since[i].sql, "");
    return compare_statement_run(
        it,
        "CREATE TABLE IF NOT EXISTS looks (sweep INTEGER NOT NULL REFERENCES sweeps, "
        "seeds INTEGER NOT NULL, verdicts TEXT NOT NULL)",
        "");
}

/* Counts are a text, separated by blanks. */
static int bind(sqlite3_stmt *to, int place, const figure *f, const void *record)
{
    const void *member = (const char *)record + f->offset;
    const int64_t *integers = member;
    char counts[1024] = "";
    if (f->form == FIGURE_INTEGER)
        return sqlite3_bind_int64(to, place, *integers);
    if (f->form == FIGURE_TEXT)
        return sqlite3_bind_text(to, place, *(const char *)member ? member : NULL, -1,
                                 SQLITE_TRANSIENT);
    if (f->form != FIGURE_COUNTS)
        return sqlite3_bind_double(to, place, compare_figure_value(f, record));
    for (size_t i = 0, used = 0; i < f->size / sizeof *integers && used < sizeof counts; i++)
        used += (size_t)snprintf(counts + used, sizeof counts - used, "%s%lld", i ? " " : "",
                                 (long long)integers[i]);
    return sqlite3_bind_text(to, place, *integers < 0 ? NULL : counts, -1, SQLITE_TRANSIENT);
}

void compare_statement_write(store *it, const char *sql, const figure *figures, const void *record,
                             const char *types, ...)
{
    va_list values;
    sqlite3_str *names = sqlite3_str_new(NULL), *marks = sqlite3_str_new(NULL);
    for (const figure *f = figures; f->name; f++) {
        sqlite3_str_appendf(names, ", %s", compare_figure_column(f));
        sqlite3_str_appendall(marks, ", ?");
    }
    char *parts[] = {sqlite3_str_finish(names), sqlite3_str_finish(marks)};
    char *text = parts[0] && parts[1] ? sqlite3_mprintf(sql, parts[0], parts[1]) : NULL;
    va_start(values, types);
    sqlite3_stmt *to = prepare(it, text, types, &values);
    va_end(values);
    int place = (int)strlen(types);
    for (const figure *f = figures; f->name && to; f++)
        if (bind(to, ++place, f, record) != SQLITE_OK && !it->status)
            compare_statement_failed(it);
    while (compare_statement_next(it, to))
        ;
    sqlite3_free(parts[0]), sqlite3_free(parts[1]), sqlite3_free(text);
}

sqlite3_stmt *compare_statement_select(store *it, const char *sql, const figure_columns *columns,
                                       const char *types, ...)
{
    va_list values;
    sqlite3_str *out = sqlite3_str_new(NULL);
    for (const figure *f = columns->figures; f->name; f++)
        if (compare_statement_has(it, columns->table, compare_figure_column(f)))
            sqlite3_str_appendf(out, ", %s.%s", columns->table, compare_figure_column(f));
        else
            sqlite3_str_appendall(out, ", NULL");
    char *list = sqlite3_str_finish(out), *text = list ? sqlite3_mprintf(sql, list) : NULL;
    va_start(values, types);
    sqlite3_stmt *statement = prepare(it, text, types, &values);
    va_end(values);
    sqlite3_free(list), sqlite3_free(text);
    return statement;
}

double compare_statement_real(sqlite3_stmt *row, int column)
{
    const double value = sqlite3_column_double(row, column);
    const bool is_one =
        sqlite3_column_type(row, column) != SQLITE_NULL && fabs(value) <= FIGURE_MOST;
    return is_one ? value : (double)NAN;
}

/* Counts that are not whole are none. */
static void read_counts(const char *text, int64_t *to, size_t n)
{
    char *end;
    errno = 0;
    bool good = text;
    for (size_t i = 0; i < n && good; i++, text = end) {
        to[i] = strtoll(text, &end, 10);
        good = end != text && !errno && to[i] >= 0;
    }
    if (!good)
        to[0] = -1;
}

void compare_statement_read(sqlite3_stmt *row, int column, const figure *figures, void *record)
{
    for (const figure *f = figures; f->name; f++, column++) {
        void *member = (char *)record + f->offset;
        const char *text = f->form == FIGURE_TEXT || f->form == FIGURE_COUNTS
                               ? (const char *)sqlite3_column_text(row, column)
                               : NULL;
        if (f->form == FIGURE_INTEGER)
            *(int64_t *)member = sqlite3_column_int64(row, column);
        else if (f->form == FIGURE_TEXT)
            snprintf(member, f->size, "%s", text ? text : "");
        else if (f->form == FIGURE_COUNTS)
            read_counts(text, member, f->size / sizeof(int64_t));
        else
            *(double *)member = compare_statement_real(row, column);
    }
}
