/* Arrays of numbers of any type, as images and labels. */
#include "data/data.h"

#include "io/io.h"
#include <float.h>
#include <math.h>
#include <string.h>

double hki_array_value(const hki_array *a, size_t i)
{
    const uint8_t *at = a->values + i * (size_t)a->width;
    uint64_t bits = 0;
    for (int b = 0; b < a->width; b++)
        bits |= (uint64_t)at[a->big_endian ? a->width - 1 - b : b] << 8 * b;
    if (a->number == HKI_UNSIGNED)
        return (double)bits;
    if (a->number == HKI_SIGNED) {
        int unused = 64 - 8 * a->width;
        return (double)((int64_t)(bits << unused) >> unused);
    }
    if (a->width == 8) {
        double value;
        memcpy(&value, &bits, sizeof value);
        return value;
    }
    if (a->width == 4) {
        float value;
        uint32_t half = (uint32_t)bits;
        memcpy(&value, &half, sizeof value);
        return (double)value;
    }
    return hki_half_value((uint16_t)bits);
}

static hk_status image_shape(const char *path, const hki_array *a, bool nchw, hk_data_shape *shape)
{
    const size_t *d = a->dims;
    size_t h = 1, w = 1, c = 1;
    if (a->ndim == 2) {
        c = d[1];
    } else if (a->ndim == 3) {
        h = d[1];
        w = d[2];
    } else if (a->ndim == 4) {
        h = d[nchw ? 2 : 1];
        w = d[nchw ? 3 : 2];
        c = d[nchw ? 1 : 3];
    } else {
        return hki_fail(HK_BAD_DATA,
                        "%s: images of %d dimensions, expected [n][columns], [n][height][width] or "
                        "[n][height][width][channels]",
                        path, a->ndim);
    }
    if (a->ndim == 4 && !nchw && d[1] <= 4 && d[3] > 4)
        return hki_fail(HK_BAD_DATA,
                        "%s: %zu x %zu x %zu looks like [channels][height][width]: give order=nchw",
                        path, d[1], d[2], d[3]);
    if (!a->count || d[0] > HKI_MAX_DIM || h > HKI_MAX_SIDE || w > HKI_MAX_SIDE || c > HKI_MAX_SIDE)
        return hki_fail(HK_BAD_DATA, "%s: %zu images of %zu x %zu x %zu, expected sides of 1 to %d",
                        path, d[0], h, w, c, HKI_MAX_SIDE);
    *shape = (hk_data_shape){(int64_t)d[0], (int)h, (int)w, (int)c, 0};
    return HK_OK;
}

/* As whole numbers; *classes is found from them where it is new. */
static hk_status read_labels(const char *path, const hki_array *a, size_t n, hki_classes *classes,
                             int64_t *labels)
{
    if (a->count != n || a->ndim < 1 || a->dims[0] != n)
        return hki_fail(HK_BAD_DATA,
                        "%s: %zu labels in %d dimensions, expected one for each of %zu images",
                        path, a->count, a->ndim, n);
    for (size_t i = 0; i < n; i++) {
        double value = hki_array_value(a, i);
        if (value != floor(value) || fabs(value) > 1e15)
            return hki_fail(HK_BAD_DATA,
                            "%s: label %g of image %zu (from 0), expected whole numbers", path,
                            value, i);
        labels[i] = (int64_t)value;
    }
    if (classes->n)
        return HK_OK;
    int64_t *sorted = hki_alloc_array(n, sizeof *sorted);
    if (!sorted)
        return HK_NO_MEMORY;
    memcpy(sorted, labels, n * sizeof *sorted);
    hk_status status = hki_classes_of_numbers(sorted, n, classes);
    hki_free(sorted);
    return status;
}

static hk_status fill_pixels(const char *path, const hki_array *a, bool nchw, hk_data *data)
{
    const hk_data_shape *s = &data->shape;
    size_t area = (size_t)s->height * (size_t)s->width, channels = (size_t)s->channels, at = 0;
    for (size_t i = 0; i < (size_t)s->n; i++)
        for (size_t p = 0; p < area; p++)
            for (size_t c = 0; c < channels; c++, at++) {
                size_t from = nchw ? (i * channels + c) * area + p : at;
                if (data->bytes) {
                    data->bytes[at] = a->values[from];
                    continue;
                }
                double value = hki_array_value(a, from);
                if (!(fabs(value) <= (double)FLT_MAX / 2))
                    return hki_fail(HK_BAD_DATA,
                                    "%s: %g in image %zu (from 0), expected finite floats", path,
                                    value, i);
                data->floats[at] = (float)value;
            }
    return HK_OK;
}

hk_status hki_array_set(const char *path, const hki_array *images, const char *labels_path,
                        const hki_array *labels, bool nchw, hki_classes *classes, hk_data **out)
{
    hk_data_shape shape;
    *out = NULL;
    hk_status status = image_shape(path, images, nchw, &shape);
    if (status)
        return status;
    int64_t *numbers = hki_alloc_array((size_t)shape.n, sizeof *numbers);
    status = numbers ? read_labels(labels_path, labels, (size_t)shape.n, classes, numbers)
                     : HK_NO_MEMORY;
    if (!status && classes->n > HKI_MAX_CLASSES)
        status = hki_fail(HK_BAD_DATA, "%s: %zu classes, expected at most %d", labels_path,
                          classes->n, HKI_MAX_CLASSES);
    shape.classes = (int)classes->n;
    if (!status)
        status = hki_data_new(
            shape, images->number == HKI_UNSIGNED && images->width == 1 ? HKI_BYTES : HKI_FLOATS,
            out);
    if (!status && classes->names)
        status = hki_data_name(*out, (const char *const *)classes->names);
    for (int64_t i = 0; i < shape.n && !status; i++)
        if (((*out)->labels[i] = hki_class_of_number(classes, numbers[i])) < 0)
            status = hki_fail(HK_BAD_DATA, "%s: label %lld of record %lld (from 0), expected %s%zu",
                              labels_path, (long long)numbers[i], (long long)i,
                              classes->names ? "one of the training set's " : "0..",
                              classes->n - !classes->names);
    if (!status)
        status = fill_pixels(path, images, nchw && images->ndim == 4, *out);
    hki_free(numbers);
    if (status) {
        hk_data_free(*out);
        *out = NULL;
    }
    return status;
}
