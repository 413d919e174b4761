/* A seal is the CRC-32 of a line's columns, each with its place and its kind. What is NULL adds nothing, so
 * that a column which comes later, behind the others, does not change the seals of before. */
#include "compare/seal.h"
#include "compare/statement.h"
#include "options.h"
#include "output.h"

#include <string.h>
#include <zlib.h>

#define FUNCTION "hillock_crc"

/* Columns come at the end. How often a run was tried is counted while it runs. */
static const struct {
    const char *table, *columns;
} sealed[] = {
    {"sweeps", "id, name, settings, seeds, epochs, command, provenance, turn, most, seeds_before"},
    {"rows",
     "id, sweep, data, model, activation, normalization, initializer, weight_norm, treatment, "
     "optimizer, plugin_digests, data_digest, place, rate, parameters, multiply_adds, "
     "is_baseline, recipe"},
    {"runs", "id, row, seed, tuning, rate, checksum, "
             "CASE WHEN state NOT IN ('planned', 'running') THEN attempts END"},
    {"looks", "rowid, sweep, seeds, verdicts"},
    {"ledger", "settings"},
    {"candidates", "number, against, asked, identity, spec, verdict, reason, seeds, p, difference, "
                   "kept"},
};
enum { SEALED = sizeof sealed / sizeof *sealed };

static uLong add(uLong sum, int place, sqlite3_value *value)
{
    const int64_t integer = sqlite3_value_int64(value);
    const double real = sqlite3_value_double(value);
    const unsigned char head[] = {(unsigned char)place, (unsigned char)sqlite3_value_type(value)};
    const void *bytes = &integer;
    size_t n = sizeof integer;
    switch (head[1]) {
    case SQLITE_NULL: return sum;
    case SQLITE_INTEGER: break;
    case SQLITE_FLOAT: bytes = &real; break;
    default: bytes = sqlite3_value_blob(value); n = (size_t)sqlite3_value_bytes(value);
    }
    sum = crc32(sum, head, sizeof head);
    return n ? crc32(sum, bytes, (uInt)n) : sum;
}

static void crc_of(sqlite3_context *to, int n, sqlite3_value **values)
{
    uLong sum = 0;
    for (int i = 0; i < n; i++)
        sum = add(sum, i, values[i]);
    sqlite3_result_int64(to, (int64_t)sum);
}

int compare_seal_begin(store *it)
{
    const int flags = SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_DIRECTONLY;
    return sqlite3_create_function_v2(it->db, FUNCTION, -1, flags, NULL, crc_of, NULL, NULL,
                                      NULL) == SQLITE_OK
               ? EXIT_DONE
               : compare_statement_failed(it);
}

int compare_seal_add_columns(store *it)
{
    for (int i = 0; i < SEALED; i++) {
        if (!compare_statement_has(it, sealed[i].table, NULL) ||
            compare_statement_has(it, sealed[i].table, "seal"))
            continue;
        char *sql = sqlite3_mprintf("ALTER TABLE %s ADD COLUMN seal INTEGER", sealed[i].table);
        compare_statement_run(it, sql, "");
        sqlite3_free(sql);
    }
    return it->status;
}

int compare_seal_check(store *it)
{
    for (int i = 0; i < SEALED; i++) {
        if (!compare_statement_has(it, sealed[i].table, "seal"))
            continue;
        char *sql = sqlite3_mprintf("SELECT rowid FROM %s WHERE seal <> " FUNCTION "(%s) LIMIT 1",
                                    sealed[i].table, sealed[i].columns);
        sqlite3_stmt *broken = compare_statement_new(it, sql, "");
        sqlite3_free(sql);
        while (compare_statement_next(it, broken))
            it->status = tool_fail(
                EXIT_BAD_DATA, "%s: the database is damaged (line %lld of %s: its seal differs)",
                it->path, (long long)sqlite3_column_int64(broken, 0), sealed[i].table);
    }
    return it->status;
}

void compare_seal_write(store *it, const char *table, const char *where, int64_t id)
{
    int i = 0;
    while (strcmp(sealed[i].table, table) != 0)
        i++;
    char *sql = sqlite3_mprintf("UPDATE %s SET seal = " FUNCTION "(%s) WHERE %s", table,
                                sealed[i].columns, where);
    compare_statement_run(it, sql, "i", id);
    sqlite3_free(sql);
}
