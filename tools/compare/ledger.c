/* Two tables beside those of the results. */
#include "compare/ledger.h"
#include "compare/seal.h"
#include "compare/statement.h"
#include "output.h"

#include <stdlib.h>
#include <string.h>

static const char *const tables[] = {
    "CREATE TABLE IF NOT EXISTS ledger (settings TEXT NOT NULL, seal INTEGER)",
    "CREATE TABLE IF NOT EXISTS candidates (number INTEGER PRIMARY KEY, against INTEGER NOT NULL,"
    " asked TEXT NOT NULL, identity TEXT NOT NULL, spec TEXT NOT NULL, verdict TEXT NOT NULL CHECK"
    " (verdict IN ('incumbent', 'more', 'keep', 'drop')), reason TEXT NOT NULL, seeds INTEGER NOT NULL,"
    " p REAL, difference REAL, kept INTEGER, seal INTEGER)" /* kept: in which order */
};

int compare_ledger_settings(store *it, char **out)
{
    *out = NULL;
    compare_statement_begin(it, "BEGIN IMMEDIATE");
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
        compare_statement_run(it, tables[i], "");
    sqlite3_stmt *row = compare_statement_new(it, "SELECT settings FROM ledger LIMIT 1", "");
    while (compare_statement_next(it, row)) {
        const char *text = (const char *)sqlite3_column_text(row, 0);
        if (!(*out = strdup(text ? text : "")))
            it->status = tool_no_memory();
    }
    return compare_statement_commit(it);
}

static int read_one(store *it, sqlite3_stmt *row, candidate *out)
{
    *out = (candidate){.number = -1};
    while (compare_statement_next(it, row)) {
        char *const texts[] = {out->asked, out->identity, out->spec, out->verdict, out->reason};
        const size_t sizes[] = {sizeof out->asked, sizeof out->identity, sizeof out->spec,
                                sizeof out->verdict, sizeof out->reason};
        for (int i = 0; i < 5; i++) {
            const char *text = (const char *)sqlite3_column_text(row, i);
            snprintf(texts[i], sizes[i], "%s", text ? text : "");
        }
        out->number = sqlite3_column_int64(row, 5);
        out->against = sqlite3_column_int64(row, 6);
        out->seeds = sqlite3_column_int64(row, 7);
        out->p = compare_statement_real(row, 8);
        out->difference = compare_statement_real(row, 9);
    }
    return it->status;
}

#define COLUMNS "asked, identity, spec, verdict, reason, number, against, seeds, p, difference"

int compare_ledger_find(store *it, const char *identity, int64_t incumbent, candidate *out)
{
    return read_one(it,
                    compare_statement_new(it,
                                          "SELECT " COLUMNS
                                          " FROM candidates WHERE identity = ? AND number > 0 AND "
                                          "(verdict <> 'more' OR against = ?) "
                                          "ORDER BY number DESC LIMIT 1",
                                          "si", identity, incumbent),
                    out);
}

int compare_ledger_incumbent(store *it, candidate *out)
{
    return read_one(it,
                    compare_statement_new(it,
                                          "SELECT " COLUMNS " FROM candidates WHERE kept IS NOT "
                                          "NULL ORDER BY kept DESC LIMIT 1",
                                          ""),
                    out);
}

int compare_ledger_next(store *it, int64_t *number)
{
    sqlite3_stmt *row =
        compare_statement_new(it, "SELECT coalesce(max(number) + 1, 0) FROM candidates", "");
    while (compare_statement_next(it, row))
        *number = sqlite3_column_int64(row, 0);
    return it->status;
}

static void add(store *it, const candidate *of)
{
    compare_statement_run(it,
                          "INSERT INTO candidates (" COLUMNS ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, "
                          "?)",
                          "sssssiiidd", of->asked, of->identity, of->spec, of->verdict, of->reason,
                          of->number, of->against, of->seeds, of->p, of->difference);
    compare_seal_write(it, "candidates", "number = ?", of->number);
}

int compare_ledger_begin(store *it, const char *settings, const candidate *first)
{
    compare_statement_begin(it, "BEGIN IMMEDIATE");
    compare_statement_run(it, "INSERT INTO ledger (settings) VALUES (?)", "s", settings);
    add(it, first);
    compare_statement_run(it, "UPDATE candidates SET kept = 0 WHERE number = ?", "i",
                          first->number);
    compare_seal_write(it, "candidates", "number = ?", first->number);
    compare_seal_write(it, "ledger", "rowid = ?", 1);
    return compare_statement_commit(it);
}

int compare_ledger_add(store *it, const candidate *of)
{
    compare_statement_begin(it, "BEGIN IMMEDIATE");
    add(it, of);
    return compare_statement_commit(it);
}

int compare_ledger_decide(store *it, const candidate *of)
{
    compare_statement_begin(it, "BEGIN IMMEDIATE");
    compare_statement_run(it,
                          "UPDATE candidates SET verdict = ?, reason = ?, seeds = ?, p = ?, "
                          "difference = ? WHERE number = ?",
                          "ssiddi", of->verdict, of->reason, of->seeds, of->p, of->difference,
                          of->number);
    if (strcmp(of->verdict, "keep") == 0)
        compare_statement_run(it,
                              "UPDATE candidates SET kept = (SELECT max(kept) + 1 FROM candidates) "
                              "WHERE number = ?",
                              "i", of->number);
    compare_seal_write(it, "candidates", "number = ?", of->number);
    return compare_statement_commit(it);
}
