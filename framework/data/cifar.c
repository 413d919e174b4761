/* CIFAR-10, binary version (Krizhevsky 2009): records of one label byte and a 32 x 32 image, 1024
 * bytes each of red, green and blue. The training set is as many of data_batch_1..5.bin as there
 * are. A file has no header: its size must be whole records. */
#include "data/data.h"

#include "io/io.h"
#include <string.h>

enum { CLASSES = 10, SIDE = 32, CHANNELS = 3, BATCHES = 5 };
enum { AREA = SIDE * SIDE, RECORD = 1 + AREA * CHANNELS, MAX_META_BYTES = 4096 };

typedef struct batches {
    uint8_t *bytes[BATCHES];
    size_t records[BATCHES];
    int n;
} batches;

hk_status hki_cifar_parse(const char *path, const uint8_t *bytes, size_t size, size_t *records)
{
    if (size == 0 || size % RECORD != 0) {
        const char *found = hki_recognise(bytes, size);
        if (found)
            return hki_fail(HK_BAD_DATA, "%s: this is %s, expected a CIFAR-10 binary file", path,
                            found);
        return hki_fail(HK_BAD_DATA,
                        "%s: %zu bytes, expected whole records of %d: %zu bytes are left over",
                        path, size, RECORD, size % RECORD);
    }
    *records = size / RECORD;
    for (size_t i = 0; i < *records; i++)
        if (bytes[i * RECORD] >= CLASSES)
            return hki_fail(HK_BAD_DATA, "%s: label %d of record %zu (from 0), expected 0..%d",
                            path, bytes[i * RECORD], i, CLASSES - 1);
    return HK_OK;
}

/* All records, their planes of colour as colours of pixels. */
static hk_status combine(const batches *all, hk_data **out)
{
    hk_data_shape shape = {0, SIDE, SIDE, CHANNELS, CLASSES};
    for (int b = 0; b < all->n; b++)
        shape.n += (int64_t)all->records[b];
    hk_status status = hki_data_new(shape, HKI_BYTES, out);
    if (status)
        return status;
    uint8_t *pixel = (*out)->bytes;
    int32_t *label = (*out)->labels;
    for (int b = 0; b < all->n; b++)
        for (size_t r = 0; r < all->records[b]; r++) {
            const uint8_t *record = all->bytes[b] + r * RECORD;
            *label++ = record[0];
            for (int i = 0; i < AREA; i++)
                for (int c = 0; c < CHANNELS; c++)
                    *pixel++ = record[1 + c * AREA + i];
        }
    return HK_OK;
}

/* The files that exist of `names`, which must be one at least. */
static hk_status load(const char *dir, const char *const *names, int count, hk_data **out)
{
    batches all = {0};
    hk_status status = HK_OK;
    for (int i = 0; i < count && status == HK_OK; i++) {
        size_t size;
        char *path = hki_format("%s/%s", dir, names[i]);
        if (!path) {
            status = HK_NO_MEMORY;
        } else if (hki_data_file_exists(path)) {
            uint8_t **bytes = &all.bytes[all.n];
            status = hki_file_read(path, HKI_MAX_DATA_BYTES, bytes, &size);
            if (status == HK_OK)
                status = hki_cifar_parse(path, *bytes, size, &all.records[all.n++]);
        }
        hki_free(path);
    }
    if (status == HK_OK)
        status = all.n ? combine(&all, out) : hki_fail(HK_BAD_DATA, "%s: has no %s", dir, names[0]);
    for (int b = 0; b < BATCHES; b++)
        hki_free(all.bytes[b]);
    return status;
}

/* Names the classes of both sets by a file, one a line; blank lines may follow the last. */
static hk_status name_classes(const char *path, hk_data *train, hk_data *test)
{
    uint8_t *bytes;
    size_t size;
    const char *names[CLASSES];
    hk_status status = hki_file_read(path, MAX_META_BYTES, &bytes, &size);
    if (status)
        return status;
    char text[MAX_META_BYTES + 1] = "", *rest = text;
    int n = 0;
    memcpy(text, bytes, size);
    hki_free(bytes);
    for (char *line; (line = strsep(&rest, "\n"));) {
        line[strcspn(line, "\r")] = '\0';
        if (*line && n < CLASSES)
            names[n] = line;
        n += *line != '\0';
    }
    if (n != CLASSES)
        return hki_fail(HK_BAD_DATA, "%s: %d class names, expected %d", path, n, CLASSES);
    status = hki_data_name(train, names);
    return status ? status : hki_data_name(test, names);
}

hk_status hki_cifar_open(const char *path, const double *values, hk_data **train, hk_data **test)
{
    static const char *const parts[BATCHES] = {"data_batch_1.bin", "data_batch_2.bin",
                                               "data_batch_3.bin", "data_batch_4.bin",
                                               "data_batch_5.bin"};
    static const char *const whole[] = {"test_batch.bin"};
    (void)values;
    hk_status status = load(path, parts, BATCHES, train);
    if (status == HK_OK)
        status = load(path, whole, 1, test);
    if (status)
        return status;
    char *meta = hki_format("%s/batches.meta.txt", path);
    if (!meta)
        return HK_NO_MEMORY;
    if (hki_data_file_exists(meta))
        status = name_classes(meta, *train, *test);
    hki_free(meta);
    return status;
}
