/* Preparing, binding, stepping; and the sentence for each way in which a database can fail. */
#include "compare/statement.h"

#include "options.h"
#include "output.h"

#include <stdarg.h>
#include <string.h>

int compare_statement_failed(store *it)
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

static int bind(sqlite3_stmt *statement, int place, char type, va_list *values)
{
    switch (type) {
    case 's':
        return sqlite3_bind_text(statement, place, va_arg(*values, const char *), -1,
                                 SQLITE_TRANSIENT);
    case 'i': return sqlite3_bind_int64(statement, place, va_arg(*values, int64_t));
    default: return sqlite3_bind_double(statement, place, va_arg(*values, double));
    }
}

static sqlite3_stmt *prepare(store *it, const char *sql, const char *types, va_list *values)
{
    sqlite3_stmt *statement;
    int code = sqlite3_prepare_v2(it->db, sql, -1, &statement, NULL);
    for (int i = 0; types[i] && code == SQLITE_OK; i++)
        code = bind(statement, i + 1, types[i], values);
    if (code == SQLITE_OK)
        return statement;
    compare_statement_failed(it);
    sqlite3_finalize(statement);
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

bool compare_statement_next(store *it, sqlite3_stmt *statement, int *status)
{
    const int code = sqlite3_step(statement);
    if (code != SQLITE_ROW && code != SQLITE_DONE)
        *status = compare_statement_failed(it);
    return code == SQLITE_ROW;
}

int compare_statement_run(store *it, const char *sql, const char *types, ...)
{
    va_list values;
    int status = EXIT_DONE;
    va_start(values, types);
    sqlite3_stmt *statement = prepare(it, sql, types, &values);
    va_end(values);
    if (!statement)
        return EXIT_IO;
    compare_statement_next(it, statement, &status);
    sqlite3_finalize(statement);
    return status;
}
