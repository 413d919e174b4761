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

static hk_status not_cifar(const char *path, const uint8_t *bytes, size_t size)
{
    const char *found = hki_recognise(bytes, size);
    if (found)
        return hki_fail(HK_BAD_DATA, "%s: this is %s, expected a CIFAR-10 binary file", path,
                        found);
    return hki_fail(HK_BAD_DATA,
                    "%s: %zu bytes, expected whole records of %d: %zu bytes are left "
                    "over",
                    path, size, RECORD, size % RECORD);
}

hk_status hki_cifar_parse(const char *path, const uint8_t *bytes, size_t size, size_t *records)
{
    if (size == 0 || size % RECORD != 0)
        return not_cifar(path, bytes, size);
    *records = size / RECORD;
    for (size_t i = 0; i < *records; i++)
        if (bytes[i * RECORD] >= CLASSES)
            return hki_fail(HK_BAD_DATA, "%s: label %d of record %zu (from 0), expected 0..%d",
                            path, bytes[i * RECORD], i, CLASSES - 1);
    return HK_OK;
}

/* Adds one file; one that does not exist adds nothing. */
static hk_status add_file(const char *dir, const char *name, batches *all)
{
    size_t size;
    char *path = hki_format("%s/%s", dir, name);
    if (!path)
        return HK_NO_MEMORY;
    hk_status status = HK_OK;
    if (hki_data_file_exists(path)) {
        uint8_t **bytes = &all->bytes[all->n];
        status = hki_file_read(path, HKI_MAX_DATA_BYTES, bytes, &size);
        if (status == HK_OK)
            status = hki_cifar_parse(path, *bytes, size, &all->records[all->n++]);
    }
    hki_free(path);
    return status;
}

/* Planes of colour to colours of pixels. */
static void unpack(const uint8_t *record, uint8_t *pixels, int32_t *label)
{
    *label = record[0];
    for (int i = 0; i < AREA; i++)
        for (int c = 0; c < CHANNELS; c++)
            pixels[i * CHANNELS + c] = record[1 + c * AREA + i];
}

static hk_status combine(const batches *all, hk_data **out)
{
    hk_data_shape shape = {0, SIDE, SIDE, CHANNELS, CLASSES};
    for (int b = 0; b < all->n; b++)
        shape.n += (int64_t)all->records[b];
    hk_status status = hki_data_new(shape, HKI_BYTES, out);
    if (status)
        return status;
    uint8_t *pixels = (*out)->bytes;
    int32_t *label = (*out)->labels;
    for (int b = 0; b < all->n; b++)
        for (size_t i = 0; i < all->records[b]; i++, pixels += AREA * CHANNELS)
            unpack(all->bytes[b] + i * RECORD, pixels, label++);
    return HK_OK;
}

static hk_status load(const char *dir, const char *const *names, int count, hk_data **out)
{
    batches all = {0};
    hk_status status = HK_OK;
    for (int i = 0; i < count && status == HK_OK; i++)
        status = add_file(dir, names[i], &all);
    if (status == HK_OK)
        status = all.n ? combine(&all, out) : hki_fail(HK_BAD_DATA, "%s: has no %s", dir, names[0]);
    for (int b = 0; b < BATCHES; b++)
        hki_free(all.bytes[b]);
    return status;
}

/* Cuts the names out of `text`, one a line; blank lines may follow the last. */
static hk_status parse_names(const char *path, char *text, const char **names)
{
    int n = 0;
    for (char *line; (line = strsep(&text, "\n"));) {
        line[strcspn(line, "\r")] = '\0';
        if (*line && n < CLASSES)
            names[n] = line;
        n += *line != '\0';
    }
    if (n != CLASSES)
        return hki_fail(HK_BAD_DATA, "%s: %d class names, expected %d", path, n, CLASSES);
    return HK_OK;
}

static hk_status name_both(const char *path, hk_data *train, hk_data *test)
{
    uint8_t *bytes;
    size_t size;
    const char *names[CLASSES];
    hk_status status = hki_file_read(path, MAX_META_BYTES, &bytes, &size);
    if (status)
        return status;
    char text[MAX_META_BYTES + 1] = "";
    memcpy(text, bytes, size);
    hki_free(bytes);
    status = parse_names(path, text, names);
    if (status == HK_OK)
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
    hki_data_standardise(*train, *test);
    char *meta = hki_format("%s/batches.meta.txt", path);
    if (!meta)
        return HK_NO_MEMORY;
    if (hki_data_file_exists(meta))
        status = name_both(meta, *train, *test);
    hki_free(meta);
    return status;
}
