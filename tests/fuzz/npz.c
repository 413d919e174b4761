/* NumPy archives. The first byte is 0: the bytes behind it are the file; else an archive is made around two
 * arrays, whose header is a line and whose numbers follow, with the checksums that it needs: the second byte
 * says how long the labels are. */
#include "data_use.h"

#include <zlib.h>

static uint8_t made[1 << 18];
static size_t used, listed;
static uint8_t directory[512];

static void put(uint8_t *at, uint64_t value, int bytes)
{
    for (int b = 0; b < bytes; b++)
        at[b] = (uint8_t)(value >> 8 * b);
}

static void add_member(const char *name, const uint8_t *array, size_t size)
{
    const uint8_t *line = size ? memchr(array, '\n', size) : NULL;
    const size_t header = line ? (size_t)(line - array) + 1 : size, whole = 10 + size;
    uint8_t *local = made + used, *entry = directory + listed, *npy = local + 30 + strlen(name);
    memcpy(npy, "\x93NUMPY\1\0", 8);
    put(npy + 8, header, 2);
    if (size)
        memcpy(npy + 10, array, size);
    memset(local, 0, 30), memset(entry, 0, 46);
    memcpy(local, "PK\3\4", 4), memcpy(entry, "PK\1\2", 4);
    put(local + 26, strlen(name), 2), put(entry + 28, strlen(name), 2);
    memcpy(local + 30, name, strlen(name)), memcpy(entry + 46, name, strlen(name));
    put(entry + 16, crc32(0, npy, (uInt)whole), 4);
    put(entry + 20, whole, 4), put(entry + 24, whole, 4), put(entry + 42, used, 4);
    used += 30 + strlen(name) + whole;
    listed += 46 + strlen(name);
}

static void make_archive(const uint8_t *labels, size_t n_labels, const uint8_t *images,
                         size_t n_images)
{
    used = listed = 0;
    add_member("x.npy", images, n_images);
    add_member("y.npy", labels, n_labels);
    uint8_t *end = made + used + listed;
    memcpy(made + used, directory, listed);
    memset(end, 0, 22);
    memcpy(end, "PK\5\6", 4);
    put(end + 10, 2, 2), put(end + 16, used, 4);
    used += listed + 22;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static int fd = -1;
    char spec[64];
    if (fd < 0)
        fd = memfd_create("arrays.npz", 0);
    if (size < 2 || size > sizeof made / 2 || (data[0] && (size_t)data[1] + 2 > size))
        return 0;
    if (data[0])
        make_archive(data + 2, data[1], data + 2 + data[1], size - 2 - data[1]);
    snprintf(spec, sizeof spec, "npz:%s%s",
             data[0] ? fuzz_file(fd, made, used) : fuzz_file(fd, data + 1, size - 1),
             data[0] & 2 ? ",order=nchw" : "");
    open_and_use(spec);
    return 0;
}
