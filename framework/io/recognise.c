/* Names the wrong files people really feed to a loader: the page a download site sent instead of
 * the data, the pointer left by a clone without Git LFS, an archive still packed. */
#include "io/io.h"

#include <string.h>
#include <strings.h>

static const struct {
    const char *start, *name;
} starts[] = {
    {"<!doctype html", "an HTML page"}, {"<html", "an HTML page"},
    {"<?xml", "an XML document"},       {"version https://git-lfs", "a Git LFS pointer"},
    {"\x1f\x8b", "a gzip file"},        {"PK\x03\x04", "a ZIP archive"},
    {"\x93NUMPY", "a NumPy array"},     {"\x89HDF", "an HDF5 file"},
};

const char *hki_recognise(const uint8_t *bytes, size_t size)
{
    if (size == 0)
        return "an empty file";
    size_t skip = 0;
    while (skip < size && skip < 64 && strchr(" \t\r\n", bytes[skip]) && bytes[skip])
        skip++;
    for (size_t i = 0; i < sizeof starts / sizeof starts[0]; i++) {
        size_t length = strlen(starts[i].start);
        if (size - skip >= length &&
            strncasecmp((const char *)bytes + skip, starts[i].start, length) == 0)
            return starts[i].name;
    }
    for (size_t i = 0; i < size && i < 512; i++)
        if (bytes[i] == 0x7f || (bytes[i] < ' ' && !strchr("\t\n\r\f", bytes[i])) || !bytes[i])
            return NULL;
    return "a text file";
}
