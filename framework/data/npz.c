/* NumPy archives: .npz files (zip) with arrays x_train, y_train and, if there is a test part, x_test,
 * y_test; or x and y. Names that other programs write for them are known.
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

hk_status hki_npy_parse(const char *path, const uint8_t *bytes, size_t size, hki_array *out)
{
    char header[4096];
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
    size_t expected;
    if (!hki_mul(out->count, (size_t)out->width, &expected) || expected != size - begin - length)
        return hki_fail(HK_BAD_DATA, "%s: %zu bytes after the header, expected %zu numbers of %d",
                        path, size - begin - length, out->count, out->width);
    out->values = bytes + begin + length;
    return HK_OK;
}

/* ---- Zip ------------------------------------------------------------------------------------- */

typedef struct archive {
    const char *path;
    const uint8_t *bytes, *directory;
    size_t size, members;
} archive;

enum { END_RECORD = 22, ENTRY = 46, LOCAL = 30 };

static hk_status open_archive(archive *a)
{
    const char *found = hki_recognise(a->bytes, a->size);
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
    return hki_fail(HK_BAD_DATA, "%s: this is %s, expected an .npz archive", a->path,
                    found ? found : "no zip archive, or a damaged one");
}

static hk_status inflate_member(const archive *a, const char *name, const uint8_t *entry,
                                uint8_t **out, size_t *size)
{
    size_t packed = little(entry + 20, 4), whole = little(entry + 24, 4),
           at = little(entry + 42, 4);
    unsigned method = little(entry + 10, 2);
    if (at > a->size || a->size - at < LOCAL || memcmp(a->bytes + at, "PK\3\4", 4) != 0)
        return hki_fail(HK_BAD_DATA, "%s: member %s is not where the directory says", a->path,
                        name);
    at += LOCAL + (size_t)little(a->bytes + at + 26, 2) + (size_t)little(a->bytes + at + 28, 2);
    if (at > a->size || packed > a->size - at || whole > HKI_MAX_DATA_BYTES ||
        (method != 0 && method != 8) || (method == 0 && packed != whole) ||
        whole / 1032 > packed) /* deflate packs 1032 times at most */
        return hki_fail(
            HK_BAD_DATA,
            "%s: member %s: %zu bytes packed by method %u into %zu, expected methods 0 or 8 inside the file",
            a->path, name, whole, method, packed);
    uint8_t *bytes = hki_alloc(whole ? whole : 1);
    if (!bytes)
        return HK_NO_MEMORY;
    z_stream z = {.next_in = (Bytef *)(uintptr_t)(a->bytes + at),
                  .avail_in = (uInt)packed,
                  .next_out = bytes,
                  .avail_out = (uInt)whole};
    bool good = true;
    if (method == 0)
        memcpy(bytes, a->bytes + at, whole);
    else if ((good = inflateInit2(&z, -15) == Z_OK)) {
        good = inflate(&z, Z_FINISH) == Z_STREAM_END && z.total_out == whole;
        inflateEnd(&z);
    }
    if (!good || crc32_z(0, bytes, whole) != little(entry + 16, 4)) {
        hki_free(bytes);
        return hki_fail(HK_BAD_DATA, "%s: member %s is damaged", a->path, name);
    }
    *out = bytes;
    *size = whole;
    return HK_OK;
}

/* The member of the first of the names, "a|b", that there is; *bytes NULL when there is none. */
static hk_status read_member(const archive *a, const char *names, uint8_t **bytes, hki_array *array)
{
    size_t length, size = 0;
    char label[HKI_MAX_NAME];
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
                snprintf(label, sizeof label, "%.*s", (int)length, name);
                hk_status status = inflate_member(a, label, entry, bytes, &size);
                char *path = status ? NULL : hki_format("%s: %s", a->path, label);
                if (!status)
                    status = path ? hki_npy_parse(path, *bytes, size, array) : HK_NO_MEMORY;
                hki_free(path);
                return status;
            }
            entry += ENTRY + more;
        }
    }
    return HK_OK;
}

/* ---- The set --------------------------------------------------------------------------------- */

static hk_status read_part(const archive *a, const char *x_names, const char *y_names, bool nchw,
                           hki_classes *classes, hk_data **out)
{
    hki_array x, y;
    uint8_t *x_bytes = NULL, *y_bytes = NULL;
    *out = NULL;
    hk_status status = read_member(a, x_names, &x_bytes, &x);
    if (!status && x_bytes)
        status = read_member(a, y_names, &y_bytes, &y);
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
    uint8_t *bytes;
    hk_status status = hki_file_read(request->path, HKI_MAX_DATA_BYTES, &bytes, &a.size);
    if (status)
        return status;
    a.bytes = bytes;
    status = open_archive(&a);
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
        status = hk_data_split(*train, request->values[HKI_NPZ_TEST],
                               (uint64_t)request->values[HKI_NPZ_SEED], test);
    hki_classes_clear(&classes);
    hki_free(bytes);
    return status;
}
