/* Arrays as an .npz file: a zip archive (PKWARE's APPNOTE) of stored .npy members (NumPy's
 * numpy.lib.format). */
#include "export/export.h"
#include "options.h"
#include "output.h"
#include "page/draft.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum { LOCAL = 0x04034b50, DIRECTORY = 0x02014b50, END = 0x06054b50, VERSION = 20, UTF8 = 1 << 11 };
enum { NEW_YEAR_1980 = 1 << 5 | 1 }; /* the first date that zip has: files are the same each time */

static void put(FILE *to, uint64_t value, int bytes)
{
    for (int i = 0; i < bytes; i++, value >>= 8)
        putc((int)(value & 255), to);
}

/* The header of an array, padded to 64 bytes. */
static size_t npy_header(const hk_shape *shape, char out[512])
{
    size_t n = (size_t)sprintf(out + 10, "{'descr': '<f4', 'fortran_order': False, 'shape': (");
    for (int i = 0; i < shape->ndim; i++)
        n += (size_t)sprintf(out + 10 + n, "%lld,%s", (long long)shape->dims[i],
                             i + 1 < shape->ndim ? " " : "");
    n += (size_t)sprintf(out + 10 + n, "), }");
    const size_t whole = (10 + n + 1 + 63) / 64 * 64;
    memset(out + 10 + n, ' ', whole - 10 - n);
    out[whole - 1] = '\n';
    memcpy(out, "\x93NUMPY\x01\x00", 8);
    out[8] = (char)((whole - 10) & 255);
    out[9] = (char)((whole - 10) >> 8);
    return whole;
}

/* What both headers of a member say. */
static void put_member(FILE *to, uint32_t crc, size_t size, const char *name)
{
    put(to, VERSION, 2);
    put(to, UTF8, 2);
    put(to, 0, 2); /* stored */
    put(to, 0, 2);
    put(to, NEW_YEAR_1980, 2);
    put(to, crc, 4);
    put(to, size, 4);
    put(to, size, 4);
    put(to, strlen(name) + strlen(".npy"), 2);
    put(to, 0, 2);
}

typedef struct member {
    size_t at, size;
    uint32_t crc;
} member;

static member put_array(FILE *to, size_t at, const export_array *array)
{
    char header[512];
    const size_t n = npy_header(&array->shape, header);
    size_t bytes = sizeof(float);
    for (int i = 0; i < array->shape.ndim; i++)
        bytes *= (size_t)array->shape.dims[i];
    member it = {.at = at, .size = n + bytes};
    it.crc = (uint32_t)crc32_z(crc32_z(0, (const Bytef *)header, n), (const Bytef *)array->values,
                               bytes);
    put(to, LOCAL, 4);
    put_member(to, it.crc, it.size, array->name);
    fprintf(to, "%s.npy", array->name);
    fwrite(header, 1, n, to);
    fwrite(array->values, 1, bytes, to);
    return it;
}

static size_t put_directory(FILE *to, const export_arrays *a, const member *members)
{
    size_t size = 0;
    for (int i = 0; i < a->n; i++) {
        put(to, DIRECTORY, 4);
        put(to, VERSION, 2);
        put_member(to, members[i].crc, members[i].size, a->items[i].name);
        put(to, 0, 10); /* no comment, the first disk, no attributes */
        put(to, members[i].at, 4);
        size += 46 + (size_t)fprintf(to, "%s.npy", a->items[i].name);
    }
    return size;
}

int export_write_npz(const export_arrays *a, const char *path)
{
    draft file;
    size_t at = 0;
    member *members = calloc((size_t)a->n + 1, sizeof *members);
    if (!members)
        return tool_no_memory();
    page_draft_open(&file);
    for (int i = 0; i < a->n; i++) {
        members[i] = put_array(file.to, at, &a->items[i]);
        at += 30 + strlen(a->items[i].name) + strlen(".npy") + members[i].size;
    }
    const size_t directory = put_directory(file.to, a, members);
    free(members);
    put(file.to, END, 4);
    put(file.to, 0, 4); /* one disk */
    put(file.to, (uint64_t)a->n, 2);
    put(file.to, (uint64_t)a->n, 2);
    put(file.to, directory, 4);
    put(file.to, at, 4);
    put(file.to, 0, 2);
    if (at + directory > UINT32_MAX || a->n > UINT16_MAX) {
        fclose(file.to);
        free(file.text);
        return tool_fail(EXIT_USAGE,
                         "export: %s: more than 4 GiB or 65,535 arrays do not fit a zip "
                         "archive; --torch has no such limit",
                         path);
    }
    return page_draft_save(&file, path);
}
