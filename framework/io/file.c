/* Files, read whole and written whole or not at all.
 *
 * A reader sees either the old file or the new one, whatever fails in between: bytes go to a
 * temporary in the same directory, reach the disk (fsync), and only then take the name (rename).
 * A failed fsync is final, for the kernel may have dropped the pages: it is never retried.
 *
 * Steps that can fail return 0 or the errno, so that cleaning up cannot lose the reason. */
#include "io/io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

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

hk_status hki_file_read(const char *path, size_t limit, uint8_t **bytes, size_t *size)
{
    hki_reader reader;
    *bytes = NULL;
    *size = 0;
    hk_status status = hki_reader_open(path, limit, &reader);
    uint8_t *block = status ? NULL : hki_alloc(reader.size);
    if (!status)
        status = block ? hki_reader_take(&reader, block, reader.size) : HK_NO_MEMORY;
    hki_reader_close(&reader);
    if (status) {
        hki_free(block);
        return status;
    }
    *bytes = block;
    *size = reader.size;
    return HK_OK;
}

/* ---- gzip ------------------------------------------------------------------------------------ */

static void *zlib_allocate(void *user, unsigned count, unsigned size)
{
    (void)user;
    return hki_alloc_array(count, size);
}

static void zlib_release(void *user, void *block)
{
    (void)user;
    hki_free(block);
}

/* Inflated bytes as they grow. The capacity may reach one byte above the limit: a byte there proves
 * that the content is too large. */
typedef struct inflated {
    const char *path;
    uint8_t *bytes;
    size_t size, capacity, limit;
} inflated;

static hk_status grow(inflated *out)
{
    if (out->size > out->limit)
        return hki_fail(HK_BAD_DATA, "%s: inflates to more than the %zu bytes accepted", out->path,
                        out->limit);
    if (out->size < out->capacity)
        return HK_OK;
    size_t most = out->limit + 1;
    size_t capacity = out->capacity > most / 2 ? most : 2 * out->capacity;
    uint8_t *bytes = hki_grow(out->bytes, out->size, capacity);
    if (!bytes)
        return HK_NO_MEMORY;
    out->bytes = bytes;
    out->capacity = capacity;
    return HK_OK;
}

/* zlib counts in 32 bits. */
static unsigned portion(size_t size)
{
    return size < 1u << 30 ? (unsigned)size : 1u << 30;
}

/* Inflates all members of the file (RFC 1952 allows several, one after the other). */
static hk_status inflate_members(z_stream *stream, const uint8_t *bytes, size_t size, inflated *out)
{
    size_t used = 0;
    int result = Z_OK;
    while (used < size || result == Z_OK) {
        if (result == Z_STREAM_END)
            inflateReset(stream);
        hk_status status = grow(out);
        if (status != HK_OK)
            return status;
        unsigned given = portion(size - used), free = portion(out->capacity - out->size);
        stream->next_in = (z_const Bytef *)(bytes + used);
        stream->avail_in = given;
        stream->next_out = out->bytes + out->size;
        stream->avail_out = free;
        result = inflate(stream, Z_NO_FLUSH);
        used += given - stream->avail_in;
        out->size += free - stream->avail_out;
        if (result == Z_MEM_ERROR)
            return HK_NO_MEMORY;
        if (result == Z_BUF_ERROR) /* there is output space, so input is missing */
            return hki_fail(HK_BAD_DATA, "%s: gzip data ends early, after %zu bytes", out->path,
                            size);
        if (result != Z_OK && result != Z_STREAM_END)
            return hki_fail(HK_BAD_DATA, "%s: damaged gzip data near byte %zu: %s", out->path, used,
                            stream->msg ? stream->msg : "it needs a preset dictionary");
    }
    return out->size > out->limit ? grow(out) : HK_OK;
}

hk_status hki_file_read_maybe_gzip(const char *path, size_t limit, uint8_t **bytes, size_t *size)
{
    hk_status status = hki_file_read(path, limit, bytes, size);
    if (status != HK_OK || *size < 2 || (*bytes)[0] != 0x1f || (*bytes)[1] != 0x8b)
        return status;
    inflated out = {.path = path, .limit = limit < HKI_MAX_BYTES ? limit : HKI_MAX_BYTES};
    out.capacity = *size < out.limit / 4 ? 4 * *size : out.limit + 1;
    out.bytes = hki_alloc(out.capacity);
    z_stream stream = {.zalloc = zlib_allocate, .zfree = zlib_release};
    status = HK_NO_MEMORY; /* 47: 15, the largest window, + 32, read the header */
    if (out.bytes && inflateInit2(&stream, 47) == Z_OK) {
        status = inflate_members(&stream, *bytes, *size, &out);
        inflateEnd(&stream);
    }
    hki_free(*bytes);
    if (status != HK_OK)
        hki_free(out.bytes);
    *bytes = status == HK_OK ? out.bytes : NULL;
    *size = status == HK_OK ? out.size : 0;
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
    int error = directory < 0 ? errno : replace(path, old.st_mode, scratch, size, pieces, count);
    if (!error && hki_files.fsync(directory) != 0 && errno != EINVAL)
        error = errno; /* EINVAL: this file system does not sync directories */
    if (directory >= 0)
        hki_files.close(directory);
    hki_free(scratch);
    return error ? hki_fail(HK_IO, "cannot write %s: %s", path, strerror(error)) : HK_OK;
}
