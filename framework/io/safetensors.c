/* Weights as safetensors: a 64-bit little-endian length, that many bytes of JSON, then the data.
 *
 * The format is public (huggingface.co/docs/safetensors, "Format"); the reader accepts nothing that
 * departs from it: ranges must tile the data from its first byte to its last. The header is judged,
 * against the file's size too, before there is memory for the data. Our own files carry a digest over
 * every byte, so that one flipped bit is refused; a file that has either of our two keys must have
 * both, so that the flip cannot hide the digest. */
#include "io/io.h"
#include "io/json.h"

#include <stdlib.h>
#include <string.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "tensor data is copied as it lies");
_Static_assert(sizeof(float) == 4, "F32");

#define FORMAT_KEY "hk.format"
#define DIGEST_KEY "hk.digest"
#define DIGEST_FIELD "\"" DIGEST_KEY "\":\"" /* what stands before the digest in the header */

enum { LENGTH_BYTES = 8, DIGEST_CHARS = 64, MAX_HEADER = 4 << 20 };
static const char no_digest[DIGEST_CHARS + 1] =
    "0000000000000000000000000000000000000000000000000000000000000000";

/* ---- What reader and writer agree on --------------------------------------------------------- */

/* Names and keys: 1 to HKI_MAX_NAME bytes without control characters; jansson checks UTF-8. */
static bool is_name(const char *name)
{
    size_t length = strlen(name);
    for (size_t i = 0; i < length; i++)
        if ((unsigned char)name[i] < ' ' || name[i] == 0x7f)
            return false;
    return length > 0 && length <= HKI_MAX_NAME;
}

/* Bytes of a tensor of numbers of `width` bytes; false when it has too many dimensions or they are out of
 * range. */
static bool tensor_bytes(const hki_st_tensor *tensor, size_t width, size_t *bytes)
{
    *bytes = width;
    if (tensor->ndim < 0 || tensor->ndim > HKI_MAX_DIMS)
        return false;
    for (int i = 0; i < tensor->ndim; i++)
        if (tensor->dims[i] < 0 || tensor->dims[i] > HKI_MAX_DIM ||
            !hki_mul(*bytes, (size_t)tensor->dims[i], bytes))
            return false;
    return *bytes <= HKI_MAX_BYTES;
}

/* ---- Writing --------------------------------------------------------------------------------- */

/* Adds a member and takes over `value`, which may be NULL from a failed allocation. */
static hk_status add_member(const char *path, json_t *object, const char *name, json_t *value)
{
    bool fits = is_name(name), twice = fits && json_object_get(object, name);
    if (fits && !twice && json_object_set_new(object, name, value) == 0)
        return HK_OK;
    if (!fits || twice)
        json_decref(value);
    if (twice)
        return hki_fail(HK_BAD_ARGUMENT, "cannot write %s: \"%s\" twice", path, name);
    return hki_fail(HK_BAD_ARGUMENT,
                    "cannot write %s: the name or text of \"%.64s\" is not plain UTF-8 of 1 to %d "
                    "bytes",
                    path, name, HKI_MAX_NAME);
}

static json_t *integers(const int64_t *values, int n)
{
    json_t *array = json_array();
    bool failed = !array;
    for (int i = 0; i < n; i++)
        failed |= json_array_append_new(array, json_integer(values[i])) != 0;
    if (!failed)
        return array;
    json_decref(array);
    return NULL;
}

/* Describes the tensors in `root` and lists their bytes in `pieces`. */
static hk_status add_tensors(const char *path, json_t *root, const hki_st_tensor *tensors, size_t n,
                             hki_piece *pieces)
{
    size_t begin = 0;
    for (size_t i = 0; i < n; i++) {
        size_t bytes, end;
        if (!tensor_bytes(&tensors[i], sizeof(float), &bytes) || !hki_add(begin, bytes, &end) ||
            end > HKI_MAX_BYTES)
            return hki_fail(HK_BAD_ARGUMENT, "cannot write %s: tensor \"%.64s\" has a bad shape",
                            path, tensors[i].name);
        const int64_t range[] = {(int64_t)begin, (int64_t)end};
        json_t *entry = json_pack("{s:s, s:o, s:o}", "dtype", "F32", "shape",
                                  integers(tensors[i].dims, tensors[i].ndim), "data_offsets",
                                  integers(range, 2));
        hk_status status = add_member(path, root, tensors[i].name, entry);
        if (status != HK_OK)
            return status;
        pieces[i] = (hki_piece){tensors[i].data, bytes};
        begin = end;
    }
    return HK_OK;
}

enum { HEADER_PIECES = 5 }; /* length, text, digest, text, padding */

/* Writes header and data. The first HEADER_PIECES of `pieces` are filled in here: the digest is
 * taken with zeros in its own place, which is then given the digest. */
static hk_status write_file(const char *path, const char *header, hki_piece *pieces, size_t count)
{
    size_t size = strlen(header), padding = (8 - size % 8) % 8; /* floats lie aligned in the file */
    uint64_t length = size + padding;
    if (length > MAX_HEADER)
        return hki_fail(HK_BAD_ARGUMENT,
                        "cannot write %s: its header has %zu bytes, at most %d fit", path, size,
                        MAX_HEADER);
    const char *field = strstr(header, DIGEST_FIELD) + strlen(DIGEST_FIELD);
    size_t before = (size_t)(field - header);
    char digest[DIGEST_CHARS + 1];
    pieces[0] = (hki_piece){&length, sizeof length};
    pieces[1] = (hki_piece){header, before};
    pieces[2] = (hki_piece){no_digest, DIGEST_CHARS};
    pieces[3] = (hki_piece){field + DIGEST_CHARS, size - before - DIGEST_CHARS};
    pieces[4] = (hki_piece){"       ", padding};
    hki_sha256_hex(pieces, count, digest);
    pieces[2].bytes = digest;
    return hki_file_write(path, pieces, count);
}

hk_status hki_st_write(const char *path, const hki_st_tensor *tensors, size_t n_tensors,
                       const hki_st_meta *meta, size_t n_meta)
{
    if (n_tensors > HKI_MAX_TENSORS)
        return hki_fail(HK_BAD_ARGUMENT, "cannot write %s: %zu tensors, at most %d fit", path,
                        n_tensors, HKI_MAX_TENSORS);
    hki_piece *pieces = hki_alloc_array(HEADER_PIECES + n_tensors, sizeof *pieces);
    if (!pieces)
        return HK_NO_MEMORY;
    json_t *root = json_object(), *object = json_object();
    char *header = NULL;
    hk_status status = add_member(path, root, "__metadata__", object);
    if (status == HK_OK)
        status = add_member(path, object, FORMAT_KEY, json_string("1"));
    if (status == HK_OK)
        status = add_member(path, object, DIGEST_KEY, json_string(no_digest));
    for (size_t i = 0; i < n_meta && status == HK_OK; i++)
        status = add_member(path, object, meta[i].key, json_string(meta[i].value));
    if (status == HK_OK)
        status = add_tensors(path, root, tensors, n_tensors, pieces + HEADER_PIECES);
    if (status == HK_OK)
        status =
            (header = hki_json_text(root))
                ? write_file(path, header, pieces, HEADER_PIECES + n_tensors)
                : hki_fail(HK_NO_MEMORY, "cannot write %s: out of memory for its header", path);
    hki_free(header);
    json_decref(root);
    hki_free(pieces);
    return status;
}

/* ---- Reading --------------------------------------------------------------------------------- */

/* A file being read: the text of its header, and how many bytes of data follow. */
typedef struct source {
    const char *name, *header;
    uint64_t length; /* of the header */
    size_t data_size;
} source;

/* By the first bytes of the file and its size. */
static hk_status judge(const char *name, const uint8_t *head, size_t n_head, size_t size,
                       source *out)
{
    uint64_t length = 0;
    if (n_head >= LENGTH_BYTES)
        memcpy(&length, head, LENGTH_BYTES);
    if (n_head <= LENGTH_BYTES || length == 0 || length > size - LENGTH_BYTES ||
        head[LENGTH_BYTES] != '{') {
        const char *other = hki_recognise(head, n_head);
        if (other)
            return hki_fail(HK_BAD_DATA, "%s: it is %s, expected safetensors", name, other);
        return hki_fail(HK_BAD_DATA,
                        "%s: not safetensors, or cut short: a header of %ju bytes in a file of %zu",
                        name, (uintmax_t)length, size);
    }
    if (length > MAX_HEADER)
        return hki_fail(HK_BAD_DATA, "%s: a header of %ju bytes, at most %d are accepted", name,
                        (uintmax_t)length, MAX_HEADER);
    *out = (source){name, NULL, length, size - LENGTH_BYTES - (size_t)length};
    return HK_OK;
}

static hk_status read_meta(const source *from, json_t *object, hki_st_file *out)
{
    const char *key;
    json_t *value;
    if (!json_is_object(object))
        return hki_fail(HK_BAD_DATA, "%s: __metadata__ is not an object", from->name);
    out->meta = hki_alloc_array(json_object_size(object), sizeof *out->meta);
    if (!out->meta)
        return HK_NO_MEMORY;
    json_object_foreach(object, key, value)
    {
        if (!json_is_string(value))
            return hki_fail(HK_BAD_DATA, "%s: __metadata__ \"%.64s\" is not a text", from->name,
                            key);
        out->meta[out->n_meta++] = (hki_st_meta){key, json_string_value(value)};
    }
    return HK_OK;
}

/* The non-negative integers of `array`, at most `most`; their number, or -1. */
static int read_integers(const json_t *array, int64_t *values, int most)
{
    if (!json_is_array(array) || json_array_size(array) > (size_t)most)
        return -1;
    int n = (int)json_array_size(array);
    for (int i = 0; i < n; i++) {
        const json_t *value = json_array_get(array, (size_t)i);
        values[i] = json_integer_value(value);
        if (!json_is_integer(value) || values[i] < 0)
            return -1;
    }
    return n;
}

static hk_status read_tensor(const source *from, const char *name, const json_t *entry,
                             hki_st_tensor *out)
{
    const char *dtype = json_string_value(json_object_get(entry, "dtype"));
    int64_t range[2];
    if (!is_name(name))
        return hki_fail(HK_BAD_DATA, "%s: a tensor's name is empty, too long or not text",
                        from->name);
    if (!dtype || json_object_size(entry) != 3)
        return hki_fail(HK_BAD_DATA, "%s: tensor \"%s\": expected dtype, shape and data_offsets",
                        from->name, name);
    const size_t width = hki_dtype_bytes(dtype, &out->dtype);
    if (!width)
        return hki_fail(
            HK_BAD_DATA,
            "%s: tensor \"%s\" is of type \"%.16s\", expected one such as F32, F16, I64",
            from->name, name, dtype);
    out->name = name;
    out->ndim = read_integers(json_object_get(entry, "shape"), out->dims, HKI_MAX_DIMS);
    if (!tensor_bytes(out, width, &out->bytes))
        return hki_fail(HK_BAD_DATA, "%s: tensor \"%s\": bad shape", from->name, name);
    if (read_integers(json_object_get(entry, "data_offsets"), range, 2) != 2 ||
        range[0] > range[1] || (uint64_t)range[1] > from->data_size)
        return hki_fail(HK_BAD_DATA,
                        "%s: tensor \"%s\": data_offsets do not lie in the %zu bytes of data",
                        from->name, name, from->data_size);
    out->begin = (size_t)range[0];
    if ((size_t)range[1] - out->begin != out->bytes)
        return hki_fail(HK_BAD_DATA,
                        "%s: tensor \"%s\": data_offsets span %zu bytes, its shape takes %zu",
                        from->name, name, (size_t)range[1] - out->begin, out->bytes);
    return HK_OK;
}

/* By place; where an empty tensor shares it, the empty one first. */
static int by_place(const void *a, const void *b)
{
    const hki_st_tensor *one = a, *other = b;
    if (one->begin != other->begin)
        return one->begin < other->begin ? -1 : 1;
    if (one->bytes != other->bytes)
        return one->bytes < other->bytes ? -1 : 1;
    return strcmp(one->name, other->name);
}

/* The sorted tensors must follow each other without hole or overlap, up to the end. */
static hk_status check_places(const source *from, const hki_st_file *file)
{
    size_t end = 0;
    for (size_t i = 0; i < file->n_tensors; i++) {
        const hki_st_tensor *tensor = &file->tensors[i];
        if (tensor->begin != end)
            return hki_fail(
                HK_BAD_DATA, "%s: tensor \"%s\" begins at byte %zu of the data, %s %zu", from->name,
                tensor->name, tensor->begin,
                tensor->begin < end ? "inside another that ends at" : "leaving a hole from", end);
        end += tensor->bytes;
    }
    if (end != from->data_size)
        return hki_fail(HK_BAD_DATA, "%s: %zu bytes of data, the tensors take %zu", from->name,
                        from->data_size, end);
    return HK_OK;
}

static hk_status read_tensors(const source *from, json_t *root, hki_st_file *out)
{
    const char *name;
    json_t *entry;
    size_t most = json_object_size(root);
    if (most > HKI_MAX_TENSORS + 1)
        return hki_fail(HK_BAD_DATA, "%s: %zu tensors, at most %d are accepted", from->name, most,
                        HKI_MAX_TENSORS);
    out->tensors = hki_alloc_array(most, sizeof *out->tensors);
    if (!out->tensors)
        return HK_NO_MEMORY;
    json_object_foreach(root, name, entry)
    {
        if (strcmp(name, "__metadata__") == 0)
            continue;
        hk_status status = read_tensor(from, name, entry, &out->tensors[out->n_tensors]);
        if (status != HK_OK)
            return status;
        out->n_tensors++;
    }
    qsort(out->tensors, out->n_tensors, sizeof *out->tensors, by_place);
    return check_places(from, out);
}

/* Everything but the data. */
static hk_status read_header(const source *from, hki_st_file *out)
{
    const size_t size = (size_t)from->length;
    json_t *root;
    hk_status status = hki_json_read(from->name, "header", from->header, size,
                                     4 * (size + from->data_size), &root);
    out->header = root;
    json_t *meta = json_object_get(root, "__metadata__");
    if (status == HK_OK && meta)
        status = read_meta(from, meta, out);
    return status == HK_OK ? read_tensors(from, root, out) : status;
}

static hk_status check_digest(const source *from, const hki_st_file *file)
{
    const char *format = hki_st_meta_get(file, FORMAT_KEY);
    const char *digest = hki_st_meta_get(file, DIGEST_KEY);
    if (!format && !digest)
        return HK_OK; /* another program's file */
    const size_t size = (size_t)from->length;
    const char *field = memmem(from->header, size, DIGEST_FIELD, strlen(DIGEST_FIELD));
    if (!format || !digest || strlen(digest) != DIGEST_CHARS || !field)
        return hki_fail(HK_BAD_DATA,
                        "%s: damaged: " FORMAT_KEY " and " DIGEST_KEY " do not stand together",
                        from->name);
    const size_t place = (size_t)(field - from->header) + strlen(DIGEST_FIELD),
                 after = place + DIGEST_CHARS;
    if (after > size || memcmp(from->header + place, digest, DIGEST_CHARS) != 0)
        return hki_fail(HK_BAD_DATA, "%s: damaged: the digest is not written plainly", from->name);
    const hki_piece pieces[] = {
        {&from->length, LENGTH_BYTES}, {from->header, place},
        {no_digest, DIGEST_CHARS},     {from->header + after, size - after},
        {file->data, from->data_size},
    };
    char found[DIGEST_CHARS + 1];
    hki_sha256_hex(pieces, sizeof pieces / sizeof *pieces, found);
    if (strcmp(found, digest) != 0)
        return hki_fail(HK_BAD_DATA, "%s: damaged: its digest is %.8s..., the file says %.8s...",
                        from->name, found, digest);
    if (strcmp(format, "1") != 0)
        return hki_fail(HK_BAD_DATA, "%s: " FORMAT_KEY " is \"%.16s\", this library reads 1",
                        from->name, format);
    return HK_OK;
}

/* The data are there: tensors point into them. */
static hk_status take_data(const source *from, hki_st_file *out)
{
    for (size_t i = 0; i < out->n_tensors; i++)
        out->tensors[i].data = (const char *)out->data + out->tensors[i].begin;
    return check_digest(from, out);
}

hk_status hki_st_parse(const char *name, const uint8_t *bytes, size_t size, hki_st_file *out)
{
    source from;
    *out = (hki_st_file){0};
    hk_status status = judge(name, bytes, size, size, &from);
    if (status != HK_OK)
        return status;
    from.header = (const char *)bytes + LENGTH_BYTES;
    status = read_header(&from, out);
    if (status == HK_OK && !(out->data = hki_alloc(from.data_size)))
        status = HK_NO_MEMORY;
    if (status == HK_OK) {
        memcpy(out->data, from.header + from.length, from.data_size);
        status = take_data(&from, out);
    }
    if (status != HK_OK)
        hki_st_clear(out);
    return status;
}

static hk_status read_file(hki_reader *reader, bool whole, hki_st_file *out)
{
    source from;
    uint64_t length;
    hk_status status = judge(reader->path, reader->head, reader->n_head, reader->size, &from);
    if (status != HK_OK)
        return status;
    char *header = hki_alloc((size_t)from.length);
    from.header = header;
    status = header ? hki_reader_take(reader, &length, LENGTH_BYTES) : HK_NO_MEMORY;
    if (status == HK_OK)
        status = hki_reader_take(reader, header, (size_t)from.length);
    if (status == HK_OK)
        status = read_header(&from, out);
    if (status == HK_OK && whole) {
        out->data = hki_alloc(from.data_size);
        status = out->data ? hki_reader_take(reader, out->data, from.data_size) : HK_NO_MEMORY;
        if (status == HK_OK)
            status = take_data(&from, out);
    }
    hki_free(header);
    return status;
}

static hk_status open_file(const char *path, bool whole, hki_st_file *out)
{
    hki_reader reader;
    *out = (hki_st_file){0};
    hk_status status = hki_reader_open(path, HKI_MAX_BYTES, &reader);
    if (status == HK_OK)
        status = read_file(&reader, whole, out);
    hki_reader_close(&reader);
    if (status != HK_OK)
        hki_st_clear(out);
    return status;
}

hk_status hki_st_read(const char *path, hki_st_file *out)
{
    return open_file(path, true, out);
}

hk_status hki_st_read_header(const char *path, hki_st_file *out)
{
    return open_file(path, false, out);
}

void hki_st_clear(hki_st_file *file)
{
    hki_free(file->tensors);
    hki_free(file->meta);
    hki_free(file->data);
    json_decref(file->header);
    *file = (hki_st_file){0};
}

const char *hki_st_meta_get(const hki_st_file *file, const char *key)
{
    for (size_t i = 0; i < file->n_meta; i++)
        if (strcmp(file->meta[i].key, key) == 0)
            return file->meta[i].value;
    return NULL;
}
