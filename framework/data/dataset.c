/* Data sets in memory: their arrays, statistics, reading and splitting. */
#include "data/data.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- Sets ------------------------------------------------------------------------------------ */

static hk_status check_shape(const hk_data_shape *s)
{
    if (s->n < 1 || s->n > HKI_MAX_DIM)
        return hki_fail(HK_BAD_ARGUMENT, "data: %lld images, expected 1..%lld", (long long)s->n,
                        (long long)HKI_MAX_DIM);
    if (s->height < 1 || s->width < 1 || s->channels < 1 || s->height > HKI_MAX_SIDE ||
        s->width > HKI_MAX_SIDE || s->channels > HKI_MAX_SIDE)
        return hki_fail(HK_BAD_ARGUMENT, "data: images of %d x %d x %d, expected 1..%d a side",
                        s->height, s->width, s->channels, HKI_MAX_SIDE);
    if (s->classes < 1 || s->classes > HKI_MAX_CLASSES)
        return hki_fail(HK_BAD_ARGUMENT, "data: %d classes, expected 1..%d", s->classes,
                        HKI_MAX_CLASSES);
    return HK_OK;
}

hk_status hki_data_new(hk_data_shape shape, hki_pixels pixels, hk_data **out)
{
    *out = NULL;
    hk_status status = check_shape(&shape);
    if (status)
        return status;
    hk_data *data = hki_alloc(sizeof *data);
    if (!data)
        return HK_NO_MEMORY;
    data->shape = shape;
    size_t length, n = (size_t)shape.n, channels = (size_t)shape.channels,
                   width = pixels == HKI_BYTES ? 1 : sizeof(float), memory = hki_machine_memory();
    if (!hki_mul(hki_image_length(data), n, &length) || length > memory / width) {
        const double bytes = (double)n * (double)hki_image_length(data) * (double)width;
        status = hki_fail(HK_NO_MEMORY,
                          "data: %zu images of %d x %d x %d take %.0f GB, this machine has %.0f GB "
                          "of memory",
                          n, shape.height, shape.width, shape.channels, bytes / 1e9,
                          (double)memory / 1e9);
    } else {
        if (pixels == HKI_BYTES)
            data->bytes = hki_alloc(length);
        else
            data->floats = hki_alloc_array(length, sizeof *data->floats);
        data->labels = hki_alloc_array(n, sizeof *data->labels);
        data->mean = hki_alloc_array(channels, sizeof *data->mean);
        data->inverse_sd = hki_alloc_array(channels, sizeof *data->inverse_sd);
        data->scale = hki_alloc_array(2 * channels, sizeof *data->scale);
        bool complete = (data->bytes || data->floats) && data->labels && data->mean &&
                        data->inverse_sd && data->scale;
        for (int c = 0; c < shape.channels && complete; c++)
            hki_data_scale(data, c, 0, 1);
        status = complete ? hki_data_name(data, NULL) : HK_NO_MEMORY;
    }
    if (status)
        hk_data_free(data);
    else
        *out = data;
    return status;
}

void hk_data_free(hk_data *data)
{
    if (!data)
        return;
    hki_free(data->bytes);
    hki_free(data->floats);
    hki_free(data->labels);
    hki_free(data->targets);
    hki_free(data->mean);
    hki_free(data->inverse_sd);
    hki_free(data->scale);
    hki_free(data->features);
    hki_free(data->samples);
    hki_free(data->label);
    hki_free(data->spec);
    hki_free(data->names);
    hki_free(data->about);
    hki_tasks_free(data->stream);
    hki_free(data);
}

char **hki_copy_texts(const char *const *texts, size_t n)
{
    size_t bytes = n * sizeof(char *);
    for (size_t i = 0; i < n; i++)
        bytes += strlen(texts[i]) + 1;
    char **block = hki_alloc(bytes), *text = (char *)(block + n);
    for (size_t i = 0; i < n && block; i++) {
        block[i] = strcpy(text, texts[i]);
        text += strlen(text) + 1;
    }
    return block;
}

hk_status hki_data_name(hk_data *data, const char *const *names)
{
    enum { NUMBER = 24 }; /* bytes a number takes at most */
    const size_t classes = (size_t)data->shape.classes;
    char **block =
        names ? hki_copy_texts(names, classes) : hki_alloc(classes * (sizeof(char *) + NUMBER));
    if (!block)
        return HK_NO_MEMORY;
    for (size_t i = 0; i < classes && !names; i++) {
        block[i] = (char *)(block + classes) + i * NUMBER;
        snprintf(block[i], NUMBER, "%zu", i);
    }
    hki_free(data->names);
    data->names = block;
    return HK_OK;
}

hk_status hki_data_add_targets(hk_data *data)
{
    data->targets = hki_alloc_array((size_t)data->shape.n, sizeof *data->targets);
    data->target_deviation = 1;
    return data->targets ? HK_OK : HK_NO_MEMORY;
}

hk_status hk_data_from_arrays(int64_t n, int height, int width, int channels, int classes,
                              const float *x, const int32_t *labels, hk_data **out)
{
    if (out)
        *out = NULL;
    if (hki_null(x, labels, out))
        return HK_BAD_ARGUMENT;
    hk_data_shape shape = {n, height, width, channels, classes};
    hk_data *data;
    hk_status status = hki_data_new(shape, HKI_FLOATS, &data);
    if (status)
        return status;
    for (int64_t i = 0; i < n && status == HK_OK; i++)
        if (labels[i] < 0 || labels[i] >= classes)
            status = hki_fail(HK_BAD_ARGUMENT,
                              "data from arrays: label %d of image %lld, expected 0..%d", labels[i],
                              (long long)i, classes - 1);
    const size_t length = hki_image_length(data);
    for (size_t i = 0; i < (size_t)n * length && status == HK_OK; i++)
        if (!isfinite(x[i]))
            status = hki_fail(HK_BAD_ARGUMENT,
                              "data from arrays: %g at %zu of image %zu, expected a "
                              "finite number",
                              (double)x[i], i % length, i / length);
    if (status == HK_OK && !(data->spec = hki_copy_text("arrays")))
        status = HK_NO_MEMORY;
    if (status) {
        hk_data_free(data);
        return status;
    }
    memcpy(data->floats, x, (size_t)n * length * sizeof *x);
    memcpy(data->labels, labels, (size_t)n * sizeof *labels);
    *out = data;
    return HK_OK;
}

hk_data_shape hk_data_shape_of(const hk_data *data)
{
    return hki_null(data) ? (hk_data_shape){0} : data->shape;
}

const char *hk_data_spec(const hk_data *data)
{
    return hki_null(data) ? "" : data->spec;
}

const char *hk_data_about(const hk_data *data)
{
    return !hki_null(data) && data->about ? data->about : "";
}

int hk_data_is_regression(const hk_data *data)
{
    return !hki_null(data) && data->targets;
}

double hk_data_target(const hk_data *data, int64_t sample)
{
    bool known = !hki_null(data) && data->targets && sample >= 0 && sample < data->shape.n;
    return known ? (double)data->targets[sample] : (double)NAN;
}

const char *hk_data_class_name(const hk_data *data, int label)
{
    if (hki_null(data))
        return "";
    bool known = label >= 0 && label < data->shape.classes;
    return known ? data->names[label] : "no such class";
}

/* ---- Statistics ------------------------------------------------------------------------------ */

/* Of every `step`-th of the numbers below `length`, in two passes, for columns far from 0. */
static void find_moments(const float *x, size_t length, size_t step, double *mean, double *variance)
{
    const double n = (double)((length + step - 1) / step);
    double sum = 0, squares = 0;
    for (size_t i = 0; i < length; i += step)
        sum += (double)x[i];
    *mean = sum / n;
    for (size_t i = 0; i < length; i += step) {
        double d = (double)x[i] - *mean;
        squares += d * d;
    }
    *variance = squares / n;
}

/* Of one channel. Sums of bytes are whole numbers, so they are exact in any order. */
static void find_statistics(const hk_data *data, int channel, double *mean, double *variance)
{
    size_t channels = (size_t)data->shape.channels;
    size_t length = (size_t)data->shape.n * hki_image_length(data);
    double pixels = (double)(length / channels);
    if (data->bytes) {
        uint64_t sum = 0, squares = 0;
        for (size_t i = (size_t)channel; i < length; i += channels) {
            uint64_t value = data->bytes[i];
            sum += value;
            squares += value * value;
        }
        *mean = (double)sum / pixels;
        *variance = (double)squares / pixels - *mean * *mean;
        return;
    }
    find_moments(data->floats + channel, length - (size_t)channel, channels, mean, variance);
}

void hki_data_scale(hk_data *data, int channel, double mean, double deviation)
{
    data->scale[channel] = mean;
    data->scale[data->shape.channels + channel] = deviation;
    data->mean[channel] = (float)mean;
    data->inverse_sd[channel] = (float)(1 / deviation);
}

/* A deviation that is rounding error, or has no inverse among floats, counts as none. */
static double usable_deviation(double mean, double variance)
{
    double deviation = sqrt(fmax(variance, 0)), least = fmax((double)FLT_MIN, 1e-12 * fabs(mean));
    return deviation > least ? deviation : 1;
}

void hki_data_standardise(hk_data *train, hk_data *test)
{
    double mean, variance;
    for (int c = 0; c < train->shape.channels; c++) {
        find_statistics(train, c, &mean, &variance);
        hki_data_scale(train, c, mean, usable_deviation(mean, variance));
        hki_data_scale(test, c, mean, usable_deviation(mean, variance));
    }
    if (!train->targets)
        return;
    find_moments(train->targets, (size_t)train->shape.n, 1, &mean, &variance);
    train->target_mean = test->target_mean = mean;
    train->target_deviation = test->target_deviation = usable_deviation(mean, variance);
}

/* ---- Reading --------------------------------------------------------------------------------- */

/* The same where each pixel comes from another place of the image. */
static void read_moved(const hk_data *data, int64_t image, const uint32_t *pixel, int columns,
                       float *x)
{
    const size_t channels = (size_t)data->shape.channels;
    const size_t first = (size_t)image * hki_image_length(data);
    for (size_t c = 0; c < channels; c++) {
        const float mean = data->mean[c], inverse_sd = data->inverse_sd[c];
        const uint8_t *bytes = data->bytes ? data->bytes + first + c : NULL;
        const float *floats = data->bytes ? NULL : data->floats + first + c;
        float *to = x + c;
        for (int i = 0; bytes && i < columns; i++, to += channels)
            *to = ((float)bytes[pixel[i] * channels] - mean) * inverse_sd;
        for (int i = 0; floats && i < columns; i++, to += channels)
            *to = (floats[pixel[i] * channels] - mean) * inverse_sd;
    }
}

void hki_data_row(const hk_data *data, int64_t image, int row, int column, int columns, float *x)
{
    const hk_data_shape *s = &data->shape;
    size_t channels = (size_t)s->channels;
    if (data->stream) {
        const uint32_t *pixel = data->stream->pixel + (size_t)row * (size_t)s->width + column;
        read_moved(data, data->stream->sample[image], pixel, columns, x);
        return;
    }
    size_t at = (size_t)image * hki_image_length(data) +
                ((size_t)row * (size_t)s->width + (size_t)column) * channels;
    for (size_t c = 0; c < channels; c++) {
        float mean = data->mean[c], inverse_sd = data->inverse_sd[c];
        for (size_t i = c; i < (size_t)columns * channels; i += channels) {
            float pixel = data->bytes ? (float)data->bytes[at + i] : data->floats[at + i];
            x[i] = (pixel - mean) * inverse_sd;
        }
    }
}

void hki_data_prefetch(const hk_data *data, int64_t image)
{
    enum { LINE = 64 };
    const size_t pixel = data->bytes ? 1 : sizeof *data->floats;
    const size_t bytes = hki_image_length(data) * pixel;
    const size_t at = (size_t)(data->stream ? data->stream->sample[image] : image) * bytes;
    const char *first = (data->bytes ? (const char *)data->bytes : (const char *)data->floats) + at;
    for (size_t i = 0; i < bytes; i += LINE)
        __builtin_prefetch(first + i);
}

void hki_data_images(const hk_data *data, int64_t first, int64_t count, float *x)
{
    const hk_data_shape *s = &data->shape;
    size_t row = (size_t)s->width * (size_t)s->channels;
    for (int64_t i = first; i < first + count; i++)
        for (int y = 0; y < s->height; y++, x += row)
            hki_data_row(data, i, y, 0, s->width, x);
}

hk_status hk_data_read(const hk_data *data, const uint32_t *index, int64_t count, float *x,
                       int32_t *labels)
{
    if (hki_null(data, index, x, labels))
        return HK_BAD_ARGUMENT;
    for (int64_t i = 0; i < count; i++)
        if (index[i] >= data->shape.n)
            return hki_fail(HK_BAD_ARGUMENT, "data: image %u of %lld", (unsigned)index[i],
                            (long long)data->shape.n);
    size_t length = hki_image_length(data);
    for (int64_t i = 0; i < count; i++, x += length) {
        hki_data_images(data, index[i], 1, x);
        labels[i] = data->labels[index[i]];
    }
    return HK_OK;
}

/* ---- Splitting ------------------------------------------------------------------------------- */

/* Marks each class's part of the share; returns how many that is. `left` and `order` are scratch:
 * [classes] and [n]. Rounding is carried from class to class, so that the whole share is exact. */
static int64_t mark_share(const hk_data *data, double share, uint64_t seed, int64_t *left,
                          uint32_t *order, uint8_t *marked)
{
    int64_t n = data->shape.n, before = 0, taken = 0;
    for (int64_t i = 0; i < n; i++)
        left[data->labels[i]]++;
    for (int c = 0; c < data->shape.classes; c++) {
        before += left[c];
        left[c] = (int64_t)(share * (double)before + 0.5) - taken;
        taken += left[c];
    }
    hki_permutation(hki_key(seed, HKI_STREAM_SPLIT, 0, 0), (uint32_t)n, order);
    for (int64_t i = 0; i < n; i++) {
        int64_t *quota = &left[data->labels[order[i]]];
        marked[order[i]] = *quota > 0;
        *quota -= *quota > 0;
    }
    return taken;
}

static void copy_image(hk_data *to, int64_t at, const hk_data *from, int64_t image)
{
    size_t length = hki_image_length(from), a = (size_t)at * length, b = (size_t)image * length;
    if (from->bytes)
        memmove(to->bytes + a, from->bytes + b, length);
    else
        memmove(to->floats + a, from->floats + b, length * sizeof(float));
    to->labels[at] = from->labels[image];
    if (from->targets)
        to->targets[at] = from->targets[image];
}

/* An empty set like `data`: n images, the same statistics, names and spec. */
static hk_status new_part(const hk_data *data, int64_t n, hk_data **out)
{
    const size_t channels = (size_t)data->shape.channels;
    hk_data_shape shape = data->shape;
    shape.n = n;
    hk_status status = hki_data_new(shape, data->bytes ? HKI_BYTES : HKI_FLOATS, out);
    if (status)
        return status;
    for (int c = 0; c < data->shape.channels; c++)
        hki_data_scale(*out, c, data->scale[c], data->scale[data->shape.channels + c]);
    status = hki_data_name(*out, (const char *const *)data->names);
    if (status == HK_OK && data->targets)
        status = hki_data_add_targets(*out);
    (*out)->target_mean = data->target_mean;
    (*out)->target_deviation = data->target_deviation;
    if (status == HK_OK && data->spec && !((*out)->spec = hki_copy_text(data->spec)))
        status = HK_NO_MEMORY;
    if (status == HK_OK && data->features &&
        !((*out)->features = hki_copy_texts((const char *const *)data->features, channels)))
        status = HK_NO_MEMORY;
    if (status == HK_OK && data->label && !((*out)->label = hki_copy_text(data->label)))
        status = HK_NO_MEMORY;
    if (status) {
        hk_data_free(*out);
        *out = NULL;
    }
    return status;
}

hk_status hk_data_split(hk_data *data, double share, uint64_t seed, hk_data **out)
{
    if (out)
        *out = NULL;
    if (hki_null(data, out))
        return HK_BAD_ARGUMENT;
    if (!(share > 0 && share < 1))
        return hki_fail(HK_BAD_ARGUMENT, "data split: share %g, expected between 0 and 1", share);
    if (data->stream)
        return hki_fail(HK_BAD_ARGUMENT, "data split: the set is a stream of tasks already");
    size_t n = (size_t)data->shape.n;
    int64_t *left = hki_alloc_array((size_t)data->shape.classes, sizeof *left);
    uint32_t *order = hki_alloc_array(n, sizeof *order);
    uint8_t *marked = hki_alloc(n);
    hk_status status = left && order && marked ? HK_OK : HK_NO_MEMORY;
    if (status == HK_OK) {
        int64_t taken = mark_share(data, share, seed, left, order, marked);
        if (taken < 1 || taken >= data->shape.n)
            status =
                hki_fail(HK_BAD_ARGUMENT,
                         "data split: a share of %g leaves one part of %zu images empty", share, n);
        else
            status = new_part(data, taken, out);
    }
    if (status == HK_OK) { /* the marked images move, the others close up; the order stays */
        int64_t kept = 0, moved = 0;
        for (size_t i = 0; i < n; i++) {
            if (marked[i])
                copy_image(*out, moved++, data, (int64_t)i);
            else
                copy_image(data, kept++, data, (int64_t)i);
        }
        data->shape.n = kept;
    }
    hki_free(left);
    hki_free(order);
    hki_free(marked);
    return status;
}

hk_status hki_data_keep_test(const char *path, hk_data *train, double share, double seed,
                             hk_data **out)
{
    hk_status status = hk_data_split(train, share, (uint64_t)seed, out);
    return status == HK_BAD_ARGUMENT && share > 0 && share < 1
               ? hki_fail(HK_BAD_DATA,
                          "%s: %lld samples, too few to keep a share of %g for the test", path,
                          (long long)train->shape.n, share)
               : status;
}
