/* CIFAR-10 and CIFAR-100, binary versions (Krizhevsky 2009): records of one label byte, or of a coarse
 * and a fine one, and a 32 x 32 image, 1024 bytes each of red, green and blue. The training set of
 * CIFAR-10 is as many of data_batch_1..5.bin as there are. A file, plain or gzip, has no header: its
 * size must be whole records. */
#include "data/data.h"

#include "io/io.h"
#include <string.h>

enum { SIDE = 32, CHANNELS = 3, MAX_FILES = 5, MAX_CLASSES = 100, MAX_META_BYTES = 4096 };
enum { AREA = SIDE * SIDE, IMAGE = AREA * CHANNELS };

/* How one of the two sets is stored. */
typedef struct form {
    const char *train[MAX_FILES], *test, *names; /* names of the classes, one a line */
    int labels, classes;                         /* label bytes, of which one counts: `label` */
    int label;
} form;

hk_status hki_cifar_parse(const char *path, const uint8_t *bytes, size_t size, int labels,
                          int label, int classes, size_t *records)
{
    const size_t record = (size_t)(labels + IMAGE);
    if (size == 0 || size % record != 0) {
        const char *found = hki_recognise(bytes, size);
        if (found)
            return hki_fail(HK_BAD_DATA, "%s: this is %s, expected a CIFAR binary file", path,
                            found);
        return hki_fail(HK_BAD_DATA,
                        "%s: %zu bytes, expected whole records of %zu: %zu bytes are left over",
                        path, size, record, size % record);
    }
    *records = size / record;
    for (size_t i = 0; i < *records; i++)
        if (bytes[i * record + (size_t)label] >= classes)
            return hki_fail(HK_BAD_DATA, "%s: label %d of record %zu (from 0), expected 0..%d",
                            path, bytes[i * record + (size_t)label], i, classes - 1);
    return HK_OK;
}

typedef struct batches {
    uint8_t *bytes[MAX_FILES];
    size_t records[MAX_FILES];
    int n;
} batches;

/* All records, their planes of colour as colours of pixels. */
static hk_status combine(const form *f, const batches *all, hk_data **out)
{
    hk_data_shape shape = {0, SIDE, SIDE, CHANNELS, f->classes};
    for (int b = 0; b < all->n; b++)
        shape.n += (int64_t)all->records[b];
    hk_status status = hki_data_new(shape, HKI_BYTES, out);
    if (status)
        return status;
    uint8_t *pixel = (*out)->bytes;
    int32_t *label = (*out)->labels;
    for (int b = 0; b < all->n; b++)
        for (size_t r = 0; r < all->records[b]; r++) {
            const uint8_t *record = all->bytes[b] + r * (size_t)(f->labels + IMAGE);
            *label++ = record[f->label];
            for (int i = 0; i < AREA; i++)
                for (int c = 0; c < CHANNELS; c++)
                    *pixel++ = record[f->labels + c * AREA + i];
        }
    return HK_OK;
}

/* The file, or the file packed by gzip: "" when there is neither. */
static char *find_file(const char *dir, const char *name)
{
    char *path = hki_format("%s/%s", dir, name);
    if (path && !hki_data_file_exists(path)) {
        hki_free(path);
        path = hki_format("%s/%s.gz", dir, name);
        if (path && !hki_data_file_exists(path))
            path[0] = '\0';
    }
    return path;
}

/* The files that exist of `names`, which must be one at least. */
static hk_status load(const form *f, const char *dir, const char *const *names, int count,
                      hk_data **out)
{
    batches all = {0};
    hk_status status = HK_OK;
    for (int i = 0; i < count && names[i] && status == HK_OK; i++) {
        size_t size;
        char *path = find_file(dir, names[i]);
        if (!path) {
            status = HK_NO_MEMORY;
        } else if (*path) {
            uint8_t **bytes = &all.bytes[all.n];
            status = hki_file_read_maybe_gzip(path, NULL, HKI_MAX_DATA_BYTES, bytes, &size);
            if (status == HK_OK)
                status = hki_cifar_parse(path, *bytes, size, f->labels, f->label, f->classes,
                                         &all.records[all.n++]);
        }
        hki_free(path);
    }
    if (status == HK_OK)
        status =
            all.n ? combine(f, &all, out) : hki_fail(HK_BAD_DATA, "%s: has no %s", dir, names[0]);
    for (int b = 0; b < MAX_FILES; b++)
        hki_free(all.bytes[b]);
    return status;
}

/* Names the classes of both sets by a file, one a line; blank lines may follow the last. */
static hk_status name_classes(const char *path, int classes, hk_data *train, hk_data *test)
{
    uint8_t *bytes;
    size_t size;
    const char *names[MAX_CLASSES];
    hk_status status = hki_file_read(path, NULL, MAX_META_BYTES, &bytes, &size);
    if (status)
        return status;
    char text[MAX_META_BYTES + 1] = "", *rest = text;
    int n = 0;
    memcpy(text, bytes, size);
    hki_free(bytes);
    for (char *line; (line = strsep(&rest, "\n"));) {
        line[strcspn(line, "\r")] = '\0';
        if (*line && n < classes)
            names[n] = line;
        n += *line != '\0';
    }
    if (n != classes)
        return hki_fail(HK_BAD_DATA, "%s: %d class names, expected %d", path, n, classes);
    status = train ? hki_data_name(train, names) : HK_OK;
    return status ? status : hki_data_name(test, names);
}

static hk_status open_form(const form *f, const hki_request *request, hk_data **train,
                           hk_data **test)
{
    const char *path = request->path;
    hk_status status = request->test_alone ? HK_OK : load(f, path, f->train, MAX_FILES, train);
    if (status == HK_OK)
        status = load(f, path, &f->test, 1, test);
    if (status)
        return status;
    char *names = hki_format("%s/%s", path, f->names);
    if (!names)
        return HK_NO_MEMORY;
    if (hki_data_file_exists(names))
        status = name_classes(names, f->classes, *train, *test);
    hki_free(names);
    return status;
}

hk_status hki_cifar_open(const hki_request *request, hk_data **train, hk_data **test)
{
    static const form cifar_10 = {{"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin",
                                   "data_batch_4.bin", "data_batch_5.bin"},
                                  "test_batch.bin",
                                  "batches.meta.txt",
                                  1,
                                  10,
                                  0};
    return open_form(&cifar_10, request, train, test);
}

hk_status hki_cifar_100_open(const hki_request *request, hk_data **train, hk_data **test)
{
    static const form fine = {{"train.bin"}, "test.bin", "fine_label_names.txt", 2, 100, 1},
                      coarse = {{"train.bin"}, "test.bin", "coarse_label_names.txt", 2, 20, 0};
    return open_form(request->values[HKI_CIFAR_100_LABELS] > 0 ? &coarse : &fine, request, train,
                     test);
}
