/* Files that may be packed by gzip (RFC 1952), inflated by zlib. */
#include "io/io.h"

#include <string.h>
#include <zlib.h>

/* A packed file that does not say how much it holds may hold this many times its size, beyond a first part;
 * tables pack a tenth of that, zeroes eight times as much. */
enum { MOST_TIMES = 128, FIRST = 16 << 20 };

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

/* What copying a file to a tape or through an editor may put behind it. */
static bool is_padding(const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (bytes[i] != 0 && bytes[i] != '\n' && bytes[i] != '\r')
            return false;
    return true;
}

/* Inflates all members of the file (RFC 1952 allows several, one after the other); `whole`: or what fits the
 * room that there is. */
static hk_status inflate_members(z_stream *stream, const uint8_t *bytes, size_t size, bool whole,
                                 inflated *out)
{
    size_t used = 0;
    int result = Z_OK;
    while (used < size || result == Z_OK) {
        if (result == Z_STREAM_END && is_padding(bytes + used, size - used))
            break;
        if (result == Z_STREAM_END)
            inflateReset(stream);
        if (!whole && out->size == out->capacity)
            return HK_OK;
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

/* The first bytes of the content are judged; then there is room for as much as the file's last four bytes
 * say, which is all of it where it has one member. */
static hk_status inflate_file(z_stream *stream, hki_judge *judge, const uint8_t *bytes, size_t size,
                              inflated *out)
{
    uint8_t head[HKI_HEAD];
    uint32_t said = 0;
    size_t declared = SIZE_MAX;
    inflated first = {.path = out->path, .bytes = head, .capacity = HKI_HEAD, .limit = HKI_HEAD};
    hk_status status = inflate_members(stream, bytes, size, false, &first);
    if (!status && judge)
        status = judge(out->path, head, first.size, HKI_SIZE_UNKNOWN, &declared);
    if (status)
        return status;
    size_t plausible = FIRST + MOST_TIMES * size;
    plausible = declared < SIZE_MAX ? declared : plausible;
    out->limit = out->limit < plausible ? out->limit : plausible;
    memcpy(&said, bytes + size - sizeof said, size >= sizeof said ? sizeof said : 0);
    out->capacity = said && said / 1032 <= size ? (size_t)said + 1 : 4 * size;
    out->capacity = out->capacity < out->limit ? out->capacity : out->limit + 1;
    if (!(out->bytes = hki_alloc(out->capacity)))
        return HK_NO_MEMORY;
    inflateReset(stream);
    return inflate_members(stream, bytes, size, true, out);
}

hk_status hki_file_read_maybe_gzip(const char *path, hki_judge *judge, size_t limit,
                                   uint8_t **bytes, size_t *size)
{
    hki_reader reader;
    inflated out = {.path = path, .limit = limit < HKI_MAX_BYTES ? limit : HKI_MAX_BYTES};
    z_stream stream = {.zalloc = zlib_allocate, .zfree = zlib_release};
    *bytes = NULL;
    *size = 0;
    hk_status status = hki_reader_open(path, limit, &reader);
    const bool packed = !status && reader.n_head >= 2 && !memcmp(reader.head, "\x1f\x8b", 2);
    if (!status)
        status = hki_reader_judge(&reader, packed ? NULL : judge, &limit);
    if (!status)
        status = hki_reader_take_all(&reader, bytes, size);
    hki_reader_close(&reader);
    if (status || !packed)
        return status;
    status = HK_NO_MEMORY; /* 47: 15, the largest window, + 32, read the header */
    if (inflateInit2(&stream, 47) == Z_OK) {
        status = inflate_file(&stream, judge, *bytes, *size, &out);
        inflateEnd(&stream);
    }
    hki_free(*bytes);
    if (status != HK_OK)
        hki_free(out.bytes);
    *bytes = status == HK_OK ? out.bytes : NULL;
    *size = status == HK_OK ? out.size : 0;
    return status;
}
