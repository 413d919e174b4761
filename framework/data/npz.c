/* NumPy's files: an .npz (zip) with arrays x_train, y_train and, if there is a test part, x_test, y_test; or
 * x and y; or a folder of .npy files of these names. Names that other programs write for them are known.
 *
 * .npy (NumPy's numpy.lib.format): magic, version, length of the header, a Python dictionary of descr,
 * fortran_order and shape, then the numbers. Zip (PKWARE's APPNOTE): the directory at the end names
 * members; stored or deflated ones are read, their CRC is checked. */
#include "data/data.h"

#include "io/io.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

static uint32_t little(const uint8_t *at, int bytes)
{
    uint32_t value = 0;
    for (int b = 0; b < bytes; b++)
        value |= (uint32_t)at[b] << 8 * b;
    return value;
}

enum { MAX_HEADER = 4096 }; /* of an array */

/* ---- .npy ------------------------------------------------------------------------------------ */

/* The text behind a key of the header's dictionary; NULL without. */
static const char *header_value(const char *header, const char *key)
{
    const char *at = strstr(header, key);
    at = at ? at + strlen(key) : NULL;
    return at ? at + strspn(at, "'\": ") : NULL;
}

static hk_status parse_type(const char *path, const char *descr, hki_array *out)
{
    static const struct {
        char letter;
        hki_number number;
        const char *widths;
    } types[] = {{'u', HKI_UNSIGNED, "1248"},
                 {'i', HKI_SIGNED, "1248"},
                 {'f', HKI_FLOATING, "248"},
                 {'b', HKI_UNSIGNED, "1"}};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (strchr("<>|=", descr[0]) && descr[0] && descr[1] == types[i].letter && descr[2] &&
            strchr(types[i].widths, descr[2]) && !(descr[3] >= '0' && descr[3] <= '9')) {
            out->number = types[i].number;
            out->width = descr[2] - '0';
            out->big_endian = descr[0] == '>';
            return HK_OK;
        }
    return hki_fail(
        HK_BAD_DATA,
        "%s: numbers of type \"%.8s\", expected integers of 1 to 8 bytes or floats of 2, 4, 8",
        path, descr);
}

static hk_status parse_shape(const char *path, const char *text, hki_array *out)
{
    out->count = 1;
    for (text += *text == '('; *text && *text != ')'; text += strspn(text, ", L")) {
        char *end;
        unsigned long long dim = strtoull(text, &end, 10);
        if (end == text || out->ndim == HKI_MAX_DIMS || dim > (unsigned long long)HKI_MAX_DIM ||
            !hki_mul(out->count, (size_t)dim, &out->count))
            return hki_fail(HK_BAD_DATA,
                            "%s: shape %.64s, expected at most %d dimensions below 2^31", path,
                            text, HKI_MAX_DIMS);
        out->dims[out->ndim++] = (size_t)dim;
        text = end;
    }
    return HK_OK;
}

/* The header, of which `size` bytes are there; *whole: bytes that it declares. */
static hk_status parse_npy(const char *path, const uint8_t *bytes, size_t size, hki_array *out,
                           size_t *whole)
{
    char header[MAX_HEADER];
    *out = (hki_array){0};
    if (size < 12 || memcmp(bytes, "\x93NUMPY", 6) != 0 || bytes[6] < 1 || bytes[6] > 3)
        return hki_fail(HK_BAD_DATA, "%s: not an array of NumPy (.npy, version 1 to 3)", path);
    size_t begin = bytes[6] == 1 ? 10 : 12, length = little(bytes + 8, bytes[6] == 1 ? 2 : 4);
    if (length >= sizeof header || length > size - begin)
        return hki_fail(HK_BAD_DATA,
                        "%s: a header of %zu bytes, expected less than %zu, and the file's %zu",
                        path, length, sizeof header, size - begin);
    memcpy(header, bytes + begin, length);
    header[length] = '\0';
    const char *descr = header_value(header, "'descr'"), *shape = header_value(header, "'shape'"),
               *fortran = header_value(header, "'fortran_order'");
    if (!descr || !shape || !fortran)
        return hki_fail(HK_BAD_DATA, "%s: its header lacks descr, shape or fortran_order", path);
    hk_status status = parse_type(path, descr, out);
    if (!status)
        status = parse_shape(path, shape, out);
    if (status)
        return status;
    if (strncmp(fortran, "True", 4) == 0 && out->ndim > 1)
        return hki_fail(HK_BAD_DATA,
                        "%s: stored column by column; save numpy.ascontiguousarray() of it", path);
    if (!hki_mul(out->count, (size_t)out->width, whole) || !hki_add(*whole, begin + length, whole))
        return hki_fail(HK_BAD_DATA, "%s: its header declares more data than is accepted", path);
    out->values = bytes + begin + length;
    return HK_OK;
}

static hk_status check_size(const char *path, const hki_array *array, size_t whole, size_t size)
{
    const size_t header = whole - array->count * (size_t)array->width;
    return size == whole
               ? HK_OK
               : hki_fail(HK_BAD_DATA, "%s: %zu bytes after the header, expected %zu numbers of %d",
                          path, size - header, array->count, array->width);
}

hk_status hki_npy_parse(const char *path, const uint8_t *bytes, size_t size, hki_array *out)
{
    size_t whole;
    hk_status status = parse_npy(path, bytes, size, out, &whole);
    return status ? status : check_size(path, out, whole, size);
}

/* ---- Zip ------------------------------------------------------------------------------------- */

typedef struct archive {
    const char *path;
    const uint8_t *bytes, *directory; /* NULL: of a folder */
    size_t size, members;
} archive;

enum { END_RECORD = 22, ENTRY = 46, LOCAL = 30 };

static hk_status judge(const char *path, const uint8_t *head, size_t n_head, size_t size,
                       size_t *most)
{
    (void)size, (void)most;
    const char *found = hki_recognise(head, n_head);
    return n_head >= 2 && !memcmp(head, "PK", 2)
               ? HK_OK
               : hki_fail(HK_BAD_DATA,
                          "%s: this is %s, expected an .npz archive or a folder of .npy files",
                          path, found ? found : "no zip archive");
}

static hk_status open_archive(archive *a)
{
    size_t least = a->size > END_RECORD + 65535 ? a->size - END_RECORD - 65535 : 0;
    for (size_t at = a->size >= END_RECORD ? a->size - END_RECORD + 1 : 0; at-- > least;)
        if (memcmp(a->bytes + at, "PK\5\6", 4) == 0) {
            size_t begin = little(a->bytes + at + 16, 4);
            a->members = little(a->bytes + at + 10, 2);
            if (begin > at)
                break;
            a->directory = a->bytes + begin;
            return HK_OK;
        }
    return hki_fail(HK_BAD_DATA, "%s: a damaged zip archive, expected an .npz archive", a->path);
}

/* Where a member's bytes lie, and how. */
typedef struct member {
    const char *path; /* "FILE: NAME", for messages */
    const uint8_t *at;
    size_t packed, whole;
    bool deflated;
} member;

static hk_status find_member(const archive *a, const char *path, const uint8_t *entry, member *out)
{
    size_t packed = little(entry + 20, 4), whole = little(entry + 24, 4),
           at = little(entry + 42, 4);
    unsigned method = little(entry + 10, 2);
    if (at > a->size || a->size - at < LOCAL || memcmp(a->bytes + at, "PK\3\4", 4) != 0)
        return hki_fail(HK_BAD_DATA, "%s is not where the directory says", path);
    at += LOCAL + (size_t)little(a->bytes + at + 26, 2) + (size_t)little(a->bytes + at + 28, 2);
    if (at > a->size || packed > a->size - at || whole > HKI_MAX_DATA_BYTES ||
        (method != 0 && method != 8) || (method == 0 && packed != whole) ||
        whole / 1032 > packed) /* deflate packs 1032 times at most */
        return hki_fail(
            HK_BAD_DATA,
            "%s: %zu bytes packed by method %u into %zu, expected methods 0 or 8 inside the file",
            path, whole, method, packed);
    *out = (member){path, a->bytes + at, packed, whole, method == 8};
    return HK_OK;
}

/* The first `size` bytes of a member; false: there are fewer, or, of the whole, more. */
static bool inflate_begin(const member *m, uint8_t *out, size_t size)
{
    if (!m->deflated) {
        memcpy(out, m->at, size);
        return true;
    }
    z_stream z = {.next_in = (Bytef *)(uintptr_t)m->at,
                  .avail_in = (uInt)m->packed,
                  .next_out = out,
                  .avail_out = (uInt)size};
    if (inflateInit2(&z, -15) != Z_OK)
        return false;
    int result = inflate(&z, size == m->whole ? Z_FINISH : Z_SYNC_FLUSH);
    inflateEnd(&z);
    return z.total_out == size && (result == Z_STREAM_END || (result == Z_OK && size < m->whole));
}

/* The array in a member: its header is read before there is memory for the rest. */
static hk_status read_array(const member *m, uint32_t crc, uint8_t **out, hki_array *array)
{
    uint8_t head[MAX_HEADER];
    size_t declared, begin = m->whole < sizeof head ? m->whole : sizeof head;
    if (!inflate_begin(m, head, begin))
        return hki_fail(HK_BAD_DATA, "%s is damaged", m->path);
    hk_status status = parse_npy(m->path, head, begin, array, &declared);
    if (!status)
        status = check_size(m->path, array, declared, m->whole);
    if (status)
        return status;
    uint8_t *bytes = hki_alloc(m->whole);
    if (!bytes)
        return HK_NO_MEMORY;
    if (!inflate_begin(m, bytes, m->whole) || crc32_z(0, bytes, m->whole) != crc) {
        hki_free(bytes);
        return hki_fail(HK_BAD_DATA, "%s is damaged", m->path);
    }
    *out = bytes;
    return hki_npy_parse(m->path, bytes, m->whole, array);
}

static hk_status judge_npy(const char *path, const uint8_t *head, size_t n_head, size_t size,
                           size_t *most)
{
    (void)size, (void)most;
    const char *found = hki_recognise(head, n_head);
    return n_head >= 6 && !memcmp(head, "\x93NUMPY", 6)
               ? HK_OK
               : hki_fail(HK_BAD_DATA, "%s: this is %s, expected an array of NumPy", path,
                          found ? found : "no .npy file");
}

/* As read_member, of a folder. */
static hk_status read_file(const char *folder, const char *names, uint8_t **bytes, hki_array *array)
{
    size_t length, size;
    *bytes = NULL;
    for (const char *name = hki_next_word(names, '|', &length); name && !*bytes;
         name = hki_next_word(name + length, '|', &length)) {
        char *path = hki_format("%s/%.*s.npy", folder, (int)length, name);
        hk_status status = path ? HK_OK : HK_NO_MEMORY;
        if (path && hki_data_file_exists(path)) {
            status = hki_file_read(path, judge_npy, HKI_MAX_DATA_BYTES, bytes, &size);
            if (!status)
                status = hki_npy_parse(path, *bytes, size, array);
        }
        hki_free(path);
        if (status)
            return status;
    }
    return HK_OK;
}

/* The member of the first of the names, "a|b", that there is; *bytes NULL when there is none. */
static hk_status read_member(const archive *a, const char *names, uint8_t **bytes, hki_array *array)
{
    size_t length;
    *bytes = NULL;
    for (const char *name = hki_next_word(names, '|', &length); name;
         name = hki_next_word(name + length, '|', &length)) {
        const uint8_t *entry = a->directory, *end = a->bytes + a->size;
        for (size_t i = 0; i < a->members; i++) {
            if ((size_t)(end - entry) < ENTRY || memcmp(entry, "PK\1\2", 4) != 0)
                return hki_fail(HK_BAD_DATA, "%s: damaged directory", a->path);
            size_t own = little(entry + 28, 2),
                   more = own + little(entry + 30, 2) + little(entry + 32, 2);
            if ((size_t)(end - entry) - ENTRY < more)
                return hki_fail(HK_BAD_DATA, "%s: damaged directory", a->path);
            if (own == length + 4 && memcmp(entry + ENTRY, name, length) == 0 &&
                memcmp(entry + ENTRY + length, ".npy", 4) == 0) {
                member m;
                char *path = hki_format("%s: %.*s", a->path, (int)length, name);
                hk_status status = path ? find_member(a, path, entry, &m) : HK_NO_MEMORY;
                if (!status)
                    status = read_array(&m, little(entry + 16, 4), bytes, array);
                hki_free(path);
                return status;
            }
            entry += ENTRY + more;
        }
    }
    return HK_OK;
}

/* ---- The set --------------------------------------------------------------------------------- */

static hk_status read_one(const archive *a, const char *names, uint8_t **bytes, hki_array *array)
{
    return a->bytes ? read_member(a, names, bytes, array) : read_file(a->path, names, bytes, array);
}

static hk_status read_part(const archive *a, const char *x_names, const char *y_names, bool nchw,
                           hki_classes *classes, hk_data **out)
{
    hki_array x, y;
    uint8_t *x_bytes = NULL, *y_bytes = NULL;
    *out = NULL;
    hk_status status = read_one(a, x_names, &x_bytes, &x);
    if (!status && x_bytes)
        status = read_one(a, y_names, &y_bytes, &y);
    if (!status && x_bytes && !y_bytes)
        status = hki_fail(HK_BAD_DATA, "%s: has no labels, expected an array %s", a->path, y_names);
    if (!status && x_bytes)
        status = hki_array_set(a->path, &x, a->path, &y, nchw, classes, out);
    hki_free(x_bytes);
    hki_free(y_bytes);
    return status;
}

hk_status hki_npz_open(const hki_request *request, hk_data **train, hk_data **test)
{
    const bool nchw = request->values[HKI_NPZ_ORDER] > 0;
    hki_classes classes = {0};
    archive a = {.path = request->path};
    uint8_t *bytes = NULL;
    hk_status status = HK_OK;
    if (!hki_is_folder(request->path)) {
        status = hki_file_read(request->path, judge, HKI_MAX_DATA_BYTES, &bytes, &a.size);
        a.bytes = bytes;
        if (!status)
            status = open_archive(&a);
    }
    if (!status)
        status = read_part(&a, "x_train|X_train|train_images|x|X|images|data",
                           "y_train|Y_train|train_labels|y|Y|labels|target", nchw, &classes, train);
    if (!status && !*train)
        status =
            hki_fail(HK_BAD_DATA, "%s: has no images, expected an array x_train, or x", a.path);
    if (!status)
        status = read_part(&a, "x_test|X_test|test_images", "y_test|Y_test|test_labels", nchw,
                           &classes, test);
    if (!status && !*test)
        status = hki_data_keep_test(request->path, *train, request->values[HKI_NPZ_TEST],
                                    request->values[HKI_NPZ_SEED], test);
    hki_classes_clear(&classes);
    hki_free(bytes);
    return status;
}
