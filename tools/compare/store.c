/* Opening the file of results: whose it is, whether it is whole, who holds it.
 *
 * The first 100 bytes of an SQLite file say to which program and schema it belongs, so that a
 * foreign file is refused before SQLite has touched it. A new file is made under another name, whole,
 * and renamed. While a coordinator runs, the file is in WAL mode and readers are welcome; one that
 * ends well leaves a single file. */
#include "compare/seal.h"
#include "compare/statement.h"
#include "options.h"
#include "output.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { APPLICATION = 0x48494C4C, SCHEMA = 1, HEADER = 100 }; /* "HILL" */

#define ROW_COLUMNS                                                                                \
    " (id INTEGER PRIMARY KEY, sweep INTEGER NOT NULL REFERENCES sweeps,"                          \
    " data TEXT NOT NULL, model TEXT NOT NULL, activation TEXT NOT NULL,"                          \
    " normalization TEXT NOT NULL, initializer TEXT NOT NULL,"                                     \
    " weight_norm TEXT NOT NULL DEFAULT 'none', treatment TEXT NOT NULL DEFAULT 'none',"           \
    " optimizer TEXT NOT NULL,"                                                                    \
    " plugin_digests TEXT NOT NULL, data_digest TEXT NOT NULL,"                                    \
    " place INTEGER," /* in what the last command asked for; NULL: it did not */                   \
    " rate REAL, parameters INTEGER NOT NULL, multiply_adds INTEGER NOT NULL,"                     \
    " is_baseline INTEGER NOT NULL, recipe TEXT, seal INTEGER,"                                    \
    " UNIQUE (sweep, data, model, activation, normalization, initializer, weight_norm, treatment," \
    " optimizer, plugin_digests, data_digest));"

/* Runs, epochs and layers have a column for each figure, too: statement.h adds them. */
static const char schema[] =
    "PRAGMA journal_mode = MEMORY;" /* a new file that is cut short is thrown away */
    "PRAGMA synchronous = FULL;"
    "PRAGMA application_id = 0x48494C4C;"
    "BEGIN;"
    "CREATE TABLE sweeps (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, settings TEXT NOT NULL,"
    " seeds INTEGER NOT NULL, epochs INTEGER NOT NULL, command TEXT NOT NULL,"
    " provenance TEXT NOT NULL, turn INTEGER NOT NULL);" /* the latest has the highest */
    "CREATE TABLE rows" ROW_COLUMNS
    "CREATE TABLE runs (id INTEGER PRIMARY KEY, row INTEGER NOT NULL REFERENCES rows,"
    " seed INTEGER NOT NULL, tuning INTEGER NOT NULL,"
    " rate REAL NOT NULL," /* 0: the optimizer's own, or not yet chosen */
    " state TEXT NOT NULL DEFAULT 'planned' CHECK (state IN"
    " ('planned', 'running', 'ok', 'failed', 'timeout', 'cancelled')),"
    " attempts INTEGER NOT NULL DEFAULT 0, failure TEXT, reason TEXT, last_lines TEXT,"
    " UNIQUE (row, seed, rate, tuning));"
    "CREATE TABLE epochs (run INTEGER NOT NULL REFERENCES runs, epoch INTEGER NOT NULL,"
    " PRIMARY KEY (run, epoch)) WITHOUT ROWID;"
    "CREATE TABLE layers (run INTEGER NOT NULL, epoch INTEGER NOT NULL, place INTEGER NOT NULL,"
    " PRIMARY KEY (run, epoch, place), FOREIGN KEY (run, epoch) REFERENCES epochs) WITHOUT ROWID;"
    "PRAGMA user_version = 1;"; /* and COMMIT, after the figures */

static unsigned number_at(const unsigned char *header, int place)
{
    const unsigned char *p = header + place;
    return (unsigned)p[0] << 24 | (unsigned)p[1] << 16 | (unsigned)p[2] << 8 | p[3];
}

static int check_header(const char *path, const unsigned char *header, ssize_t length)
{
    if (length < HEADER || memcmp(header, "SQLite format 3", 16) != 0)
        return tool_fail(EXIT_BAD_DATA, "%s: not a database of results", path);
    if (number_at(header, 68) != APPLICATION)
        return tool_fail(EXIT_BAD_DATA, "%s: a database of another program", path);
    const unsigned version = number_at(header, 60);
    if (version > SCHEMA)
        return tool_fail(EXIT_BAD_DATA,
                         "%s: made by a newer hillock (schema %u, this one knows %d)", path,
                         version, SCHEMA);
    if (version < SCHEMA)
        return tool_fail(EXIT_BAD_DATA, "%s: the database is damaged (schema %u, expected %d)",
                         path, version, SCHEMA);
    return EXIT_DONE;
}

/* A file that was cut ends before its last page. What is new may stand in FILE-wal still. */
static int check_length(const char *path, const unsigned char *header, off_t length)
{
    char log[PATH_MAX];
    struct stat about;
    const unsigned size = number_at(header, 16) >> 16; /* two bytes; 1: 65,536 */
    const int64_t expected = (int64_t)(size == 1 ? 65536 : size) * number_at(header, 28);
    snprintf(log, sizeof log, "%s-wal", path);
    if (length >= expected || (stat(log, &about) == 0 && about.st_size > 0))
        return EXIT_DONE;
    return tool_fail(EXIT_BAD_DATA,
                     "%s: the database is damaged (it ends after %lld bytes, expected %lld)", path,
                     (long long)length, (long long)expected);
}

/* *exists: false where there is no such file, which is no failure. */
static int check_file(const char *path, bool *exists)
{
    unsigned char header[HEADER];
    struct stat about;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    *exists = fd >= 0 || errno != ENOENT;
    if (fd < 0)
        return *exists ? tool_fail(EXIT_IO, "%s: %s", path, strerror(errno)) : EXIT_DONE;
    bool regular = fstat(fd, &about) == 0 && S_ISREG(about.st_mode);
    ssize_t length = regular ? pread(fd, header, sizeof header, 0) : 0;
    close(fd);
    if (!regular)
        return tool_fail(EXIT_BAD_DATA, "%s: not a regular file", path);
    const int status = check_header(path, header, length);
    return status ? status : check_length(path, header, about.st_size);
}

/* SQLite has its own locks on FILE, which any close() in this process would drop. By whatever link the
 * file is named, its lock is one. */
static int take_lock(store *it)
{
    char path[PATH_MAX], real[PATH_MAX];
    const char *file = realpath(it->path, real) ? real : it->path;
    if ((size_t)snprintf(path, sizeof path, "%s-lock", file) >= sizeof path)
        return tool_fail(EXIT_USAGE, "%s: the path is too long", it->path);
    it->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY, 0666);
    if (it->lock < 0)
        return tool_fail(EXIT_IO, "%s: %s", path, strerror(errno));
    if (flock(it->lock, LOCK_EX | LOCK_NB) == 0)
        return EXIT_DONE;
    return errno == EWOULDBLOCK
               ? tool_fail(EXIT_IO, "%s: another hillock compare is writing to it", it->path)
               : tool_fail(EXIT_IO, "%s: %s", path, strerror(errno));
}

static int execute(store *it, const char *sql)
{
    return sqlite3_exec(it->db, sql, NULL, NULL, NULL) == SQLITE_OK ? EXIT_DONE
                                                                    : compare_statement_failed(it);
}

/* SQLite has names of its own: ":memory:", "file:...". */
static int open_database(store *it, const char *path, int flags)
{
    char file[PATH_MAX + 2];
    snprintf(file, sizeof file, "%s%s", *path == '/' ? "" : "./", path);
    if (sqlite3_open_v2(file, &it->db, flags, NULL) == SQLITE_OK)
        return EXIT_DONE;
    return it->db ? compare_statement_failed(it)
                  : tool_fail(EXIT_FAILED, "%s: out of memory", path);
}

/* Under the lock, so that a half-made file of this name is nobody's. */
static int make(store *it)
{
    char path[PATH_MAX], folder[PATH_MAX];
    if ((size_t)snprintf(path, sizeof path, "%s.tmp", it->path) >= sizeof path)
        return tool_fail(EXIT_USAGE, "%s: the path is too long", it->path);
    unlink(path);
    int status = open_database(it, path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
    if (!status)
        status = execute(it, schema);
    if (!status)
        status = compare_statement_add_columns(it);
    if (!status)
        status = execute(it, "COMMIT");
    sqlite3_close(it->db);
    it->db = NULL;
    snprintf(folder, sizeof folder, "%s", it->path);
    int fd = open(dirname(folder), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (!status && (fd < 0 || rename(path, it->path) != 0 || fsync(fd) != 0))
        status = tool_fail(EXIT_IO, "%s: %s", it->path, strerror(errno));
    if (fd >= 0)
        close(fd);
    if (status)
        unlink(path);
    return status;
}

/* A database is data, whoever wrote it: what stands in its schema may call nothing. */
static int harden(store *it)
{
    sqlite3_db_config(it->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(it->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    sqlite3_db_config(it->db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
    sqlite3_db_config(it->db, SQLITE_DBCONFIG_ENABLE_FKEY, 1, NULL);
    sqlite3_busy_timeout(it->db, 5000);
    const int status = execute(it, "PRAGMA cell_size_check = ON; PRAGMA mmap_size = 0;");
    return status ? status : compare_seal_begin(it);
}

static int check_whole(store *it)
{
    sqlite3_stmt *check = compare_statement_new(it, "PRAGMA integrity_check(1)", "");
    while (compare_statement_next(it, check)) {
        const char *found = (const char *)sqlite3_column_text(check, 0);
        const char *second = found ? strchr(found, '\n') : NULL; /* the first is a heading */
        if (!found || strcmp(found, "ok") != 0)
            it->status = tool_fail(EXIT_BAD_DATA, "%s: the database is damaged (%s)", it->path,
                                   second  ? second + 1
                                   : found ? found
                                           : "out of memory");
    }
    return it->status ? it->status : compare_seal_check(it);
}

/* A row of before has no treatment or weight norm, which are part of what it is told from another by: the
 * table is made anew. Who refers to its rows keeps their numbers, so that foreign keys may rest meanwhile. */
static int add_axes(store *it)
{
#define KEPT                                                                                       \
    "id, sweep, data, model, activation, normalization, initializer, optimizer, plugin_digests, "  \
    "data_digest, place, rate, parameters, multiply_adds, is_baseline, recipe"
    static const char
        before[] = "BEGIN IMMEDIATE; CREATE TABLE new_rows" ROW_COLUMNS
                   "INSERT INTO new_rows (" KEPT ", treatment, weight_norm) SELECT " KEPT ", ",
        after[] = ", " STORE_OLD_WEIGHT_NORM
                  " FROM rows; DROP TABLE rows; ALTER TABLE new_rows RENAME TO rows; COMMIT;";
    char sql[sizeof before + sizeof after + sizeof "treatment"];
    if (compare_statement_has(it, "rows", "weight_norm"))
        return EXIT_DONE;
    snprintf(sql, sizeof sql, "%s%s%s", before,
             compare_statement_has(it, "rows", "treatment") ? "treatment" : "'none'", after);
    sqlite3_db_config(it->db, SQLITE_DBCONFIG_ENABLE_FKEY, 0, NULL);
    const int status = execute(it, sql);
    if (status)
        sqlite3_exec(it->db, "ROLLBACK", NULL, NULL, NULL);
    sqlite3_db_config(it->db, SQLITE_DBCONFIG_ENABLE_FKEY, 1, NULL);
    return status;
#undef KEPT
}

static int open_writer(store *it, bool exists)
{
    if (exists && access(it->path, W_OK) != 0)
        return tool_fail(EXIT_IO, "%s: cannot be written to: %s", it->path, strerror(errno));
    int status = take_lock(it);
    if (!status && !exists) /* another may have made it meanwhile */
        status = check_file(it->path, &exists);
    if (!status && !exists)
        status = make(it);
    if (!status)
        status = open_database(it, it->path, SQLITE_OPEN_READWRITE);
    if (!status)
        status = harden(it);
    if (!status)
        status = check_whole(it);
    if (!status)
        status = compare_statement_add_columns(it);
    if (!status)
        status = compare_seal_add_columns(it);
    if (!status)
        status = add_axes(it);
    struct stat about;
    if (!status && stat(it->path, &about) == 0) {
        it->device = about.st_dev;
        it->file = about.st_ino;
    }
    return status ? status : execute(it, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;");
}

int compare_store_open(const char *path, bool writing, store **out)
{
    bool exists;
    *out = NULL;
    int status = check_file(path, &exists);
    if (status)
        return status;
    store *it = calloc(1, sizeof *it);
    if (!it)
        return tool_fail(EXIT_FAILED, "%s: out of memory", path);
    *it = (store){.path = path, .lock = -1};
    if (writing)
        status = open_writer(it, exists);
    else if (!exists)
        status =
            tool_fail(EXIT_BAD_DATA, "%s: there is no such file; hillock compare makes it", path);
    else
        status = open_database(it, path, SQLITE_OPEN_READONLY);
    if (!status && !writing)
        status = harden(it);
    if (!status && !writing)
        status = check_whole(it);
    if (status) {
        compare_store_close(it);
        return status;
    }
    *out = it;
    return EXIT_DONE;
}

void compare_store_close(store *it)
{
    if (!it)
        return;
    if (it->lock >= 0 && it->db) /* a single file again, unless a reader is at it */
        sqlite3_exec(it->db, "PRAGMA busy_timeout = 0; PRAGMA journal_mode = DELETE;", NULL, NULL,
                     NULL);
    sqlite3_close(it->db);
    if (it->lock >= 0)
        close(it->lock);
    free(it);
}
