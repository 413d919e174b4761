/* data/data.h - what the files of this folder share: the data set itself, and how a source of
 * data sets is described. */
#pragma once
#include <hillock/data.h>
#include "core/spec.h"

struct hk_data {
    hk_data_shape shape;
    uint8_t *bytes;           /* pixels [n][height][width][channels], or NULL */
    float *floats;            /* the same as floats; one of the two is there */
    int32_t *labels;          /* [n] */
    float *mean, *inverse_sd; /* [channels], in the unit of the pixels */
    char *spec;
    char **names; /* [classes], one block with their text */
};

enum {
    HKI_MAX_CLASSES = 65536,
    HKI_MAX_SIDE = 65536, /* pixels of a side of an image */
    HKI_GLYPHS_MAX_CHANNELS = 4
};
#define HKI_MAX_DATA_BYTES ((size_t)4 << 30) /* of one file of data, inflated */

typedef enum hki_pixels { HKI_BYTES, HKI_FLOATS } hki_pixels;

/* A set of zeroes that stands for its shape: mean 0, sd 1, classes named by their numbers, no
 * spec yet. HK_BAD_ARGUMENT: a size below 1 or above its limit. */
hk_status hki_data_new(hk_data_shape shape, hki_pixels pixels, hk_data **out);
/* Names the classes; text is copied. */
hk_status hki_data_name(hk_data *data, const char *const *names);
/* Numbers of an image; below 2^48 by the limits above. */
static inline size_t hki_image_length(const hk_data *data)
{
    const hk_data_shape *s = &data->shape;
    return (size_t)s->height * (size_t)s->width * (size_t)s->channels;
}
/* Gives both sets the mean and standard deviation of `train`, by channel. */
void hki_data_standardise(hk_data *train, hk_data *test);
/* `count` images from `first` on, standardised, into x. */
void hki_data_images(const hk_data *data, int64_t first, int64_t count, float *x);
/* Standardised pixels column..column+columns-1 of a row of an image: x[columns][channels]. */
void hki_data_row(const hk_data *data, int64_t image, int row, int column, int columns, float *x);

/* ---- Sources --------------------------------------------------------------------------------- */

/* A source reads `path` (NULL unless it takes one) with the values of its options, and fills pixels,
 * labels and class names of two sets. */
typedef hk_status hki_source_open(const char *path, const double *values, hk_data **train,
                                  hk_data **test);

typedef struct hki_source {
    const char *form; /* "csv:FILE", or "glyphs": takes no path */
    hki_source_open *open;
    hk_param options[HK_MAX_PARAMS]; /* ends with a row without a name */
} hki_source;

/* Whether there may be a file: false only when the system knows of none. */
bool hki_data_file_exists(const char *path);

hki_source_open hki_mnist_open, hki_fashion_open, hki_cifar_open, hki_csv_open, hki_glyphs_open;

/* Parsers of bytes, for sources and fuzz targets; `path` is for messages. All fail with
 * HK_BAD_DATA. hki_idx_parse wants exactly `ndim` dimensions of unsigned bytes. */
hk_status hki_idx_parse(const char *path, const uint8_t *bytes, size_t size, int ndim,
                        size_t *dims);
hk_status hki_cifar_parse(const char *path, const uint8_t *bytes, size_t size, size_t *records);
hk_status hki_csv_parse(const char *path, const uint8_t *bytes, size_t size, bool label_first,
                        hk_data **out);

/* Options of glyphs and csv, in the order of the table in source.c. */
enum { HKI_GLYPHS_TRAIN, HKI_GLYPHS_TEST, HKI_GLYPHS_SIZE, HKI_GLYPHS_CHANNELS, HKI_GLYPHS_SEED };
enum { HKI_CSV_LABEL, HKI_CSV_TEST, HKI_CSV_SEED };
