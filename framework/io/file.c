/* Files, read whole and written whole or not at all.
 *
 * A reader sees either the old file or the new one, whatever fails in between: bytes go to a
 * temporary in the same directory, reach the disk (fsync), and only then take the name (rename).
 * A failed fsync is final, for the kernel may have dropped the pages: it is never retried.
 *
 * Steps that can fail return 0 or the errno, so that cleaning up cannot lose the reason. */
#include "io/io.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

static int system_open(const char *path, int flags, mode_t mode)
{
    return open(path, flags, mode);
}

hki_fs hki_files = {
    .open = system_open,
    .read = read,
    .write = write,
    .stat = stat,
    .fstat = fstat,
    .fchmod = fchmod,
    .fsync = fsync,
    .close = close,
    .rename = rename,
    .unlink = unlink,
};

/* ---- Reading --------------------------------------------------------------------------------- */

/* Up to `size` bytes: less only where the file ends, which *got says. */
static hk_status read_some(hki_reader *r, uint8_t *bytes, size_t size, size_t *got)
{
    for (*got = 0; *got < size;) {
        ssize_t n = hki_files.read(r->file, bytes + *got, size - *got);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return hki_fail(HK_IO, "cannot read %s: %s", r->path, strerror(errno));
        if (n == 0)
            break;
        *got += (size_t)n;
    }
    return HK_OK;
}

static const char *kind_of(mode_t mode)
{
    return S_ISDIR(mode)    ? "a directory"
           : S_ISFIFO(mode) ? "a pipe"
           : S_ISSOCK(mode) ? "a socket"
                            : "a device";
}

static hk_status begin_reading(hki_reader *r, size_t limit)
{
    struct stat info;
    if (hki_files.fstat(r->file, &info) != 0)
        return hki_fail(HK_IO, "cannot read %s: %s", r->path, strerror(errno));
    if (!S_ISREG(info.st_mode))
        return hki_fail(HK_BAD_DATA, "cannot read %s: it is %s, expected a regular file", r->path,
                        kind_of(info.st_mode));
    if ((uintmax_t)info.st_size > limit)
        return hki_fail(HK_BAD_DATA, "%s: %jd bytes, at most %zu are accepted", r->path,
                        (intmax_t)info.st_size, limit);
    r->size = (size_t)info.st_size;
    return read_some(r, r->head, r->size < HKI_HEAD ? r->size : HKI_HEAD, &r->n_head);
}

hk_status hki_reader_open(const char *path, size_t limit, hki_reader *out)
{
    /* O_NONBLOCK: opening a pipe that nobody writes to must not hang. */
    int file = hki_files.open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0);
    *out = (hki_reader){.path = path, .file = file};
    if (file < 0)
        return hki_fail(errno == ENOENT || errno == ENOTDIR ? HK_BAD_DATA : HK_IO,
                        "cannot open %s: %s", path, strerror(errno));
    return begin_reading(out, limit);
}

hk_status hki_reader_take(hki_reader *r, void *to, size_t size)
{
    size_t known = r->at < r->n_head ? r->n_head - r->at : 0, got;
    known = known < size ? known : size;
    if (known)
        memcpy(to, r->head + r->at, known);
    hk_status status = read_some(r, (uint8_t *)to + known, size - known, &got);
    r->at += known + got;
    if (!status && known + got < size)
        return hki_fail(HK_IO, "cannot read %s: it ended at byte %zu, expected %zu bytes", r->path,
                        r->at, r->size);
    return status;
}

void hki_reader_close(hki_reader *r)
{
    if (r->file >= 0)
        hki_files.close(r->file); /* nothing was written that closing could lose */
}

hk_status hki_reader_judge(const hki_reader *r, hki_judge *judge, size_t *most)
{
    const size_t memory = hki_machine_memory();
    hk_status status = judge ? judge(r->path, r->head, r->n_head, r->size, most) : HK_OK;
    if (!status && r->size > *most)
        status = hki_fail(HK_BAD_DATA, "%s: %zu bytes, at most %zu are accepted", r->path, r->size,
                          *most);
    if (!status && r->size > memory)
        status = hki_fail(HK_NO_MEMORY, "%s: %zu bytes, more than the %zu of this machine's memory",
                          r->path, r->size, memory);
    return status;
}

hk_status hki_reader_take_all(hki_reader *r, uint8_t **bytes, size_t *size)
{
    uint8_t *block = hki_alloc(r->size);
    hk_status status = block ? hki_reader_take(r, block, r->size) : HK_NO_MEMORY;
    if (status) {
        hki_free(block);
        return status;
    }
    *bytes = block;
    *size = r->size;
    return HK_OK;
}

hk_status hki_file_read(const char *path, hki_judge *judge, size_t limit, uint8_t **bytes,
                        size_t *size)
{
    hki_reader reader;
    *bytes = NULL;
    *size = 0;
    hk_status status = hki_reader_open(path, limit, &reader);
    if (!status)
        status = hki_reader_judge(&reader, judge, &limit);
    if (!status)
        status = hki_reader_take_all(&reader, bytes, size);
    hki_reader_close(&reader);
    return status;
}

/* ---- Writing --------------------------------------------------------------------------------- */

/* Fills the temporary and makes it durable. `old` is the st_mode of the file it replaces, 0 for a
 * new one. */
static int fill(int file, mode_t old, const hki_piece *pieces, size_t count)
{
    if (old && hki_files.fchmod(file, old & 07777) != 0)
        return errno;
    for (size_t i = 0; i < count; i++) {
        const uint8_t *bytes = pieces[i].bytes;
        for (size_t left = pieces[i].size; left > 0;) {
            ssize_t n = hki_files.write(file, bytes, left);
            if (n < 0 && errno == EINTR)
                continue;
            if (n <= 0)
                return n < 0 ? errno : EIO;
            bytes += n;
            left -= (size_t)n;
        }
    }
    return hki_files.fsync(file) == 0 ? 0 : errno;
}

/* A writer that was killed leaves its temporary, unlocked. The next one of the same name takes it away,
 * if it is older than the moment between a writer's open() and its lock. */
static void sweep(const char *folder, const char *name)
{
    enum { DIGITS = 16, OLD = 60 /* seconds */ };
    static const char mark[] = ".tmp.";
    const size_t length = strlen(name), head = length + sizeof mark - 1;
    DIR *entries = opendir(folder);
    for (struct dirent *it; entries && (it = readdir(entries));) {
        struct stat is;
        const char *found = it->d_name;
        if (strncmp(found, name, length) != 0 || strncmp(found + length, mark, strlen(mark)) != 0 ||
            strlen(found + head) != DIGITS || strspn(found + head, "0123456789abcdef") != DIGITS)
            continue;
        int file = openat(dirfd(entries), found, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
        if (file < 0)
            continue;
        if (fstat(file, &is) == 0 && S_ISREG(is.st_mode) && time(NULL) - is.st_mtime > OLD &&
            flock(file, LOCK_EX | LOCK_NB) == 0)
            unlinkat(dirfd(entries), found, 0);
        close(file);
    }
    if (entries)
        closedir(entries);
}

/* Writes to name.tmp.<random>, which nobody else has, and renames; the temporary is gone afterwards,
 * come what may. Its name fits `temporary`. */
static int replace(const char *path, mode_t old, char *temporary, size_t size,
                   const hki_piece *pieces, size_t count)
{
    uint64_t random;
    if (getentropy(&random, sizeof random) != 0)
        return errno;
    snprintf(temporary, size, "%s.tmp.%016jx", path, (uintmax_t)random);
    int file = hki_files.open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                              old ? old & 0777 : 0666);
    if (file < 0)
        return errno;
    flock(file, LOCK_EX | LOCK_NB); /* until it is closed: sweep() leaves it alone */
    int error = fill(file, old, pieces, count);
    if (hki_files.close(file) != 0 && !error)
        error = errno;
    if (!error && hki_files.rename(temporary, path) != 0)
        error = errno;
    if (error)
        hki_files.unlink(temporary);
    return error;
}

hk_status hki_file_write(const char *path, const hki_piece *pieces, size_t count)
{
    struct stat old = {0}; /* st_mode 0: there is none */
    if (hki_files.stat(path, &old) != 0) {
        if (errno != ENOENT)
            return hki_fail(HK_IO, "cannot write %s: %s", path, strerror(errno));
        old.st_mode = 0;
    } else if (!S_ISREG(old.st_mode)) {
        return hki_fail(HK_IO, "cannot write %s: it is %s", path, kind_of(old.st_mode));
    }
    size_t size = strlen(path) + sizeof ".tmp.0123456789abcdef";
    char *scratch = hki_alloc(size);
    if (!scratch)
        return HK_NO_MEMORY;
    const char *slash = strrchr(path, '/');
    size_t length = slash ? (size_t)(slash - path) + 1 : 0; /* keeps the slash: "/" is a place */
    memcpy(scratch, slash ? path : ".", slash ? length : 1);
    /* Opened first: after the rename only its fsync can still fail. */
    int directory = hki_files.open(scratch, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
    if (directory >= 0)
        sweep(scratch, path + length);
    int error = directory < 0 ? errno : replace(path, old.st_mode, scratch, size, pieces, count);
    if (!error && hki_files.fsync(directory) != 0 && errno != EINVAL)
        error = errno; /* EINVAL: this file system does not sync directories */
    if (directory >= 0)
        hki_files.close(directory);
    hki_free(scratch);
    return error ? hki_fail(HK_IO, "cannot write %s: %s", path, strerror(error)) : HK_OK;
}
