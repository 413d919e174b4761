/* Images and labels in IDX files, plain or gzip: MNIST, Fashion-MNIST, EMNIST, and any others.
 *
 * IDX (LeCun, Cortes, Burges, "The MNIST database"): two zero bytes, the type of the numbers, how many
 * dimensions, each dimension as 32 bits, then the numbers, the last dimension fastest, all of it
 * big-endian. Nothing may follow. Images lie in PREFIX-images-idx3-ubyte, their labels in
 * PREFIX-labels-idx1-ubyte. */
#include "data/data.h"

#include "io/io.h"
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { MAX_DIMS = 4 };

/* ---- One file -------------------------------------------------------------------------------- */

/* The header, of which `size` bytes are there; *whole: bytes of the file that it declares. */
static hk_status parse_header(const char *path, const uint8_t *bytes, size_t size, hki_array *out,
                              size_t *whole)
{
    static const struct {
        uint8_t code;
        hki_number number;
        int width;
    } types[] = {{8, HKI_UNSIGNED, 1}, {9, HKI_SIGNED, 1},    {11, HKI_SIGNED, 2},
                 {12, HKI_SIGNED, 4},  {13, HKI_FLOATING, 4}, {14, HKI_FLOATING, 8}};
    *out = (hki_array){.count = 1, .big_endian = true};
    for (size_t i = 0;
         size >= 4 && bytes[0] == 0 && bytes[1] == 0 && i < sizeof types / sizeof *types; i++)
        if (types[i].code == bytes[2]) {
            out->number = types[i].number;
            out->width = types[i].width;
            out->ndim = bytes[3];
        }
    if (out->ndim < 1 || out->ndim > MAX_DIMS) {
        const char *found = hki_recognise(bytes, size);
        if (found)
            return hki_fail(HK_BAD_DATA, "%s: this is %s, expected an IDX file", path, found);
        if (size < 4)
            return hki_fail(HK_BAD_DATA, "%s: %zu bytes, expected an IDX file", path, size);
        return hki_fail(
            HK_BAD_DATA,
            "%s: begins with 0x%02x%02x%02x%02x, expected an IDX file: two zeroes, a type of 8, 9, "
            "11 to 14, and 1 to %d dimensions",
            path, bytes[0], bytes[1], bytes[2], bytes[3], MAX_DIMS);
    }
    const size_t header = 4 + 4 * (size_t)out->ndim;
    if (size < header)
        return hki_fail(HK_BAD_DATA, "%s: %zu bytes, expected a header of %zu", path, size, header);
    for (int i = 0; i < out->ndim; i++) {
        const uint8_t *b = bytes + 4 + 4 * i;
        out->dims[i] = (size_t)b[0] << 24 | (size_t)b[1] << 16 | (size_t)b[2] << 8 | b[3];
        size_t limit = i == 0 ? (size_t)HKI_MAX_DIM : HKI_MAX_SIDE;
        if (out->dims[i] < 1 || out->dims[i] > limit)
            return hki_fail(HK_BAD_DATA, "%s: dimension %d is %zu, expected 1..%zu", path, i,
                            out->dims[i], limit);
        if (!hki_mul(out->count, out->dims[i], &out->count))
            return hki_fail(HK_BAD_DATA, "%s: its header declares more data than is accepted",
                            path);
    }
    if (!hki_mul(out->count, (size_t)out->width, whole) || !hki_add(*whole, header, whole))
        return hki_fail(HK_BAD_DATA, "%s: its header declares more data than is accepted", path);
    out->values = bytes + header;
    return HK_OK;
}

static hk_status check_size(const char *path, const hki_array *array, size_t whole, size_t size)
{
    const size_t header = 4 + 4 * (size_t)array->ndim;
    return size == whole
               ? HK_OK
               : hki_fail(HK_BAD_DATA, "%s: %zu bytes after the header, expected %zu numbers of %d",
                          path, size - header, array->count, array->width);
}

static hk_status judge(const char *path, const uint8_t *head, size_t n_head, size_t size,
                       size_t *most)
{
    hki_array array;
    hk_status status = parse_header(path, head, n_head, &array, most);
    if (!status && size != HKI_SIZE_UNKNOWN)
        status = check_size(path, &array, *most, size);
    if (!status && *most > HKI_MAX_DATA_BYTES)
        status = hki_fail(HK_BAD_DATA,
                          "%s: its header declares %zu numbers of %d bytes, at most %zu bytes are "
                          "accepted",
                          path, array.count, array.width, HKI_MAX_DATA_BYTES);
    return status;
}

hk_status hki_idx_parse(const char *path, const uint8_t *bytes, size_t size, hki_array *out)
{
    size_t whole;
    hk_status status = parse_header(path, bytes, size, out, &whole);
    return status ? status : check_size(path, out, whole, size);
}

static hk_status read_idx(const char *path, uint8_t **bytes, hki_array *out)
{
    size_t size;
    hk_status status = hki_file_read_maybe_gzip(path, judge, HKI_MAX_DATA_BYTES, bytes, &size);
    return status ? status : hki_idx_parse(path, *bytes, size, out);
}

/* A set from two files; *classes as hki_array_set takes them. */
static hk_status read_set(const char *images_path, const char *labels_path, hki_classes *classes,
                          hk_data **out)
{
    uint8_t *bytes[2] = {NULL, NULL};
    hki_array images, labels;
    hk_status status = read_idx(images_path, &bytes[0], &images);
    if (!status)
        status = read_idx(labels_path, &bytes[1], &labels);
    if (!status)
        status = hki_array_set(images_path, &images, labels_path, &labels, false, classes, out);
    hki_free(bytes[0]);
    hki_free(bytes[1]);
    return status;
}

/* ---- Folders --------------------------------------------------------------------------------- */

/* The file whose name begins with PREFIX-WHAT and an idx behind it, plain or packed, allocated. */
static hk_status find_file(const char *dir, const char *prefix, const char *what, char **path)
{
    char begin[HKI_MAX_NAME];
    const size_t length = (size_t)snprintf(begin, sizeof begin, "%s-%s", prefix, what);
    DIR *open = opendir(dir);
    *path = NULL;
    for (struct dirent *entry; open && (entry = readdir(open));)
        if (strncmp(entry->d_name, begin, length) == 0 && strchr("-.", entry->d_name[length]) &&
            strncmp(entry->d_name + length + 1, "idx", 3) == 0) {
            *path = hki_format("%s/%s", dir, entry->d_name);
            closedir(open);
            return *path ? HK_OK : HK_NO_MEMORY;
        }
    if (open)
        closedir(open);
    return hki_fail(HK_BAD_DATA, "%s: %shas no %s-idx%d-ubyte, plain or .gz", dir,
                    open ? "" : "is no folder, or ", begin, *what == 'i' ? 3 : 1);
}

static hk_status load_part(const char *dir, const char *prefix, hki_classes *classes, hk_data **out)
{
    char *images = NULL, *labels = NULL;
    hk_status status = find_file(dir, prefix, "images", &images);
    if (!status)
        status = find_file(dir, prefix, "labels", &labels);
    if (!status)
        status = read_set(images, labels, classes, out);
    hki_free(images);
    hki_free(labels);
    return status;
}

static hk_status load_both(const hki_request *request, const char *train_prefix,
                           const char *test_prefix, hki_classes *classes, hk_data **train,
                           hk_data **test)
{
    const char *dir = request->path;
    hk_status status = request->test_alone ? HK_OK : load_part(dir, train_prefix, classes, train);
    if (status == HK_OK)
        status = load_part(dir, test_prefix, classes, test);
    if (status || request->test_alone)
        return status;
    hk_data_shape a = (*train)->shape, b = (*test)->shape;
    if (a.height != b.height || a.width != b.width || a.channels != b.channels)
        return hki_fail(HK_BAD_DATA, "%s: training images are %d x %d, test images %d x %d", dir,
                        a.height, a.width, b.height, b.width);
    return HK_OK;
}

hk_status hki_mnist_open(const hki_request *request, hk_data **train, hk_data **test)
{
    return load_both(request, "train", "t10k", &(hki_classes){.n = 10}, train, test);
}

hk_status hki_fashion_open(const hki_request *request, hk_data **train, hk_data **test)
{
    static const char *const names[] = {"T-shirt/top", "Trouser",   "Pullover", "Dress",
                                        "Coat",        "Sandal",    "Shirt",    "Sneaker",
                                        "Bag",         "Ankle boot"};
    hk_status status = hki_mnist_open(request, train, test);
    if (status == HK_OK && *train)
        status = hki_data_name(*train, names);
    return status ? status : hki_data_name(*test, names);
}

/* ---- Any names ------------------------------------------------------------------------------- */

/* What stands before "images" in the names of a folder, once for train and once for test: "train" and
 * "t10k", or "emnist-letters-train" and "emnist-letters-test". Those beginning with `wanted` alone. */
static hk_status find_prefixes(const char *dir, const char *wanted, bool test_alone,
                               char train[HKI_MAX_NAME], char test[HKI_MAX_NAME])
{
    char known[512] = "";
    int trains = 0;
    DIR *open = opendir(dir);
    if (!open)
        return hki_fail(HK_BAD_DATA, "%s: %s", dir, strerror(errno));
    *train = *test = '\0';
    for (struct dirent *entry; (entry = readdir(open));) {
        char name[HKI_MAX_NAME];
        const char *images = strstr(entry->d_name, "-images");
        if (!images || !strstr(images, "idx") ||
            strncmp(entry->d_name, wanted, strlen(wanted)) != 0)
            continue;
        snprintf(name, sizeof name, "%.*s", (int)(images - entry->d_name), entry->d_name);
        bool is_test = strstr(name, "test") || strstr(name, "t10k");
        trains += !is_test;
        hki_add_name(known, sizeof known, name);
        strcpy(is_test ? test : train, name);
    }
    closedir(open);
    if (trains > 1)
        return hki_fail(HK_BAD_DATA, "%s: holds several sets; give prefix= of one of %s", dir,
                        known);
    if (!*train && !(test_alone && *test))
        return hki_fail(HK_BAD_DATA,
                        "%s: has no training images, expected a file NAME-images-idx3-ubyte%s%s",
                        dir, *known ? "; found: " : "", known);
    return HK_OK;
}

/* The labels of a file of images, which is called the same but for two words. */
static hk_status labels_beside(const char *images, char out[HKI_MAX_PATH])
{
    const char *word = NULL;
    for (const char *at = images; (at = strstr(at, "images")); at += 6)
        word = at;
    if (!word || snprintf(out, HKI_MAX_PATH, "%.*slabels%s", (int)(word - images), images,
                          word + 6) >= HKI_MAX_PATH)
        return hki_fail(HK_BAD_ARGUMENT, "%s: give the file of its labels, labels=FILE", images);
    char *kind = strstr(out + (word - images), "idx");
    if (kind && kind[3] >= '2' && kind[3] <= '4')
        kind[3] = '1';
    return HK_OK;
}

hk_status hki_idx_open(const hki_request *request, hk_data **train, hk_data **test)
{
    char labels[HKI_MAX_PATH], name[HKI_MAX_NAME], parts[2][HKI_MAX_NAME];
    hki_classes classes = {0};
    hk_status status = HK_OK;
    const char *given = hki_request_text(request, HKI_IDX_LABELS, NULL, name);
    *parts[1] = '\0';
    if (hki_is_folder(request->path)) {
        status = find_prefixes(request->path, hki_request_text(request, HKI_IDX_PREFIX, "", name),
                               request->test_alone, parts[0], parts[1]);
        if (!status)
            status = *parts[1] ? load_both(request, parts[0], parts[1], &classes, train, test)
                               : load_part(request->path, parts[0], &classes, train);
    } else {
        status = given ? HK_OK : labels_beside(request->path, labels);
        if (!status)
            status = read_set(request->path, given ? given : labels, &classes, train);
    }
    if (!status && !*parts[1])
        status = hki_data_keep_test(request->path, *train, request->values[HKI_IDX_TEST],
                                    request->values[HKI_IDX_SEED], test);
    hki_classes_clear(&classes);
    return status;
}
