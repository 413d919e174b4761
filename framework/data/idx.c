/* MNIST and Fashion-MNIST: images and labels in IDX files, plain or gzip.
 *
 * IDX (LeCun, Cortes, Burges, "The MNIST database"): two zero bytes, the type (8: unsigned bytes),
 * the number of dimensions, each dimension as 32 bits big-endian, then the numbers, the last
 * dimension fastest. Nothing may follow. */
#include "data/data.h"

#include "io/io.h"
#include <string.h>

enum { CLASSES = 10, MAX_DIMS = 3 };

typedef struct idx {
    char *path;
    uint8_t *file;         /* the whole file */
    const uint8_t *values; /* inside it */
    size_t dims[MAX_DIMS];
} idx;

static uint32_t big_endian(const uint8_t *b)
{
    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

hk_status hki_idx_parse(const char *path, const uint8_t *bytes, size_t size, int ndim, size_t *dims)
{
    uint32_t magic = 0x800u | (uint32_t)ndim;
    size_t header = 4 + 4 * (size_t)ndim, expected = 1;
    if (size < 4 || big_endian(bytes) != magic) {
        const char *found = hki_recognise(bytes, size);
        if (found)
            return hki_fail(HK_BAD_DATA, "%s: this is %s, expected an IDX file", path, found);
        if (size < 4)
            return hki_fail(HK_BAD_DATA, "%s: %zu bytes, expected an IDX file", path, size);
        return hki_fail(HK_BAD_DATA,
                        "%s: begins with 0x%08x, expected 0x%08x (IDX, unsigned bytes, %d "
                        "dimension%s)",
                        path, big_endian(bytes), magic, ndim, ndim > 1 ? "s" : "");
    }
    if (size < header)
        return hki_fail(HK_BAD_DATA, "%s: %zu bytes, expected a header of %zu", path, size, header);
    for (int i = 0; i < ndim; i++) {
        dims[i] = big_endian(bytes + 4 + 4 * i);
        size_t limit = i == 0 ? (size_t)HKI_MAX_DIM : HKI_MAX_SIDE;
        if (dims[i] < 1 || dims[i] > limit)
            return hki_fail(HK_BAD_DATA, "%s: dimension %d is %zu, expected 1..%zu", path, i,
                            dims[i], limit);
        if (!hki_mul(expected, dims[i], &expected))
            return hki_fail(HK_BAD_DATA, "%s: its header declares more data than is accepted",
                            path);
    }
    if (size - header != expected)
        return hki_fail(HK_BAD_DATA, "%s: %zu bytes after the header, expected %zu", path,
                        size - header, expected);
    return HK_OK;
}

/* The first that exists of the names these files go by, plain or packed. */
static hk_status find(const char *dir, const char *prefix, const char *what, int ndim, char **path)
{
    static const struct {
        char joint;
        const char *ending;
    } forms[] = {{'-', ""}, {'-', ".gz"}, {'.', ""}, {'.', ".gz"}};
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        *path = hki_format("%s/%s-%s%cidx%d-ubyte%s", dir, prefix, what, forms[i].joint, ndim,
                           forms[i].ending);
        if (!*path)
            return HK_NO_MEMORY;
        if (hki_data_file_exists(*path))
            return HK_OK;
        hki_free(*path);
        *path = NULL;
    }
    return hki_fail(HK_BAD_DATA, "%s: has no %s-%s-idx%d-ubyte nor %s-%s.idx%d-ubyte, plain or .gz",
                    dir, prefix, what, ndim, prefix, what, ndim);
}

static hk_status open_idx(const char *dir, const char *prefix, const char *what, int ndim, idx *out)
{
    size_t size;
    hk_status status = find(dir, prefix, what, ndim, &out->path);
    if (status == HK_OK)
        status = hki_file_read_maybe_gzip(out->path, HKI_MAX_DATA_BYTES, &out->file, &size);
    if (status == HK_OK)
        status = hki_idx_parse(out->path, out->file, size, ndim, out->dims);
    if (status == HK_OK)
        out->values = out->file + 4 + 4 * ndim;
    return status;
}

static hk_status combine(const idx *images, const idx *labels, hk_data **out)
{
    size_t n = images->dims[0];
    if (labels->dims[0] != n)
        return hki_fail(HK_BAD_DATA, "%s: %zu labels, but %s has %zu images", labels->path,
                        labels->dims[0], images->path, n);
    for (size_t i = 0; i < n; i++)
        if (labels->values[i] >= CLASSES)
            return hki_fail(HK_BAD_DATA, "%s: label %d of record %zu (from 0), expected 0..%d",
                            labels->path, labels->values[i], i, CLASSES - 1);
    hk_data_shape shape = {(int64_t)n, (int)images->dims[1], (int)images->dims[2], 1, CLASSES};
    hk_status status = hki_data_new(shape, HKI_BYTES, out);
    if (status)
        return status;
    memcpy((*out)->bytes, images->values, n * images->dims[1] * images->dims[2]);
    for (size_t i = 0; i < n; i++)
        (*out)->labels[i] = labels->values[i];
    return HK_OK;
}

static hk_status load(const char *dir, const char *prefix, hk_data **out)
{
    idx images = {0}, labels = {0};
    hk_status status = open_idx(dir, prefix, "images", 3, &images);
    if (status == HK_OK)
        status = open_idx(dir, prefix, "labels", 1, &labels);
    if (status == HK_OK)
        status = combine(&images, &labels, out);
    hki_free(images.path);
    hki_free(images.file);
    hki_free(labels.path);
    hki_free(labels.file);
    return status;
}

hk_status hki_mnist_open(const char *path, const double *values, hk_data **train, hk_data **test)
{
    (void)values;
    hk_status status = load(path, "train", train);
    if (status == HK_OK)
        status = load(path, "t10k", test);
    if (status)
        return status;
    hk_data_shape a = (*train)->shape, b = (*test)->shape;
    if (a.height != b.height || a.width != b.width)
        return hki_fail(HK_BAD_DATA, "%s: training images are %d x %d, test images %d x %d", path,
                        a.height, a.width, b.height, b.width);
    return HK_OK;
}

hk_status hki_fashion_open(const char *path, const double *values, hk_data **train, hk_data **test)
{
    static const char *const names[CLASSES] = {"T-shirt/top", "Trouser",   "Pullover", "Dress",
                                               "Coat",        "Sandal",    "Shirt",    "Sneaker",
                                               "Bag",         "Ankle boot"};
    hk_status status = hki_mnist_open(path, values, train, test);
    if (status == HK_OK)
        status = hki_data_name(*train, names);
    return status ? status : hki_data_name(*test, names);
}
