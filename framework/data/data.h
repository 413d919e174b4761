/* data/data.h - what the files of this folder share: the data set itself, and how a source of
 * data sets is described. */
#pragma once
#include <hillock/data.h>
#include "core/spec.h"
#include "data/classes.h"
#include "data/table.h"

typedef struct hki_tasks hki_tasks;

struct hk_data {
    hk_data_shape shape;
    uint8_t *bytes;  /* pixels [n][height][width][channels], or NULL */
    float *floats;   /* the same as floats; one of the two is there */
    int32_t *labels; /* [n]; 0 throughout where numbers are learned */
    float *targets;  /* [n], the numbers to learn, in their unit; NULL: classes are learned */
    double target_mean, target_deviation; /* what they are standardised by */
    float *mean, *inverse_sd;             /* [channels], in the unit of the pixels */
    double *scale; /* [2][channels]: the mean and deviation that those two are made of */
    char *spec;
    char **names;      /* [classes], one block with their text */
    char **features;   /* [channels], names of columns, likewise; NULL: not a table with a header */
    char **samples;    /* [n], names of the samples, likewise; NULL: they have none */
    char *label;       /* the column of the labels; NULL: none, or not a table */
    char *about;       /* what the source understood, a line; NULL: nothing to say */
    hki_tasks *stream; /* shape and labels are those of its task; NULL: there are no tasks */
};

/* A stream of tasks over the images of a set (stream.c). */
struct hki_tasks {
    char *spec;
    int kind;
    int64_t tasks;
    int per; /* classes of a task */
    uint64_t seed;
    hk_data_shape whole; /* of the set */
    int32_t *labels;     /* [whole.n] */
    uint32_t *order;     /* [whole.n], the order in which images are taken */
    uint32_t *sample;    /* [images of a task], where each is in the set */
    uint32_t *pixel;     /* [height x width], where each comes from */
    uint32_t *classes;   /* [whole.classes], scratch */
};
/* Shows task `task` of a set's stream, counted from 0; nothing where the set is none. Nobody may read the set
 * meanwhile: a loader only between epochs. */
void hki_data_show_task(const hk_data *data, int64_t task);
void hki_tasks_free(hki_tasks *stream);

enum {
    HKI_MAX_CLASSES = 65536,
    HKI_MAX_SIDE = 65536, /* pixels of a side of an image */
    HKI_MAX_OPTIONS = 16, /* of a source, and the row that ends them */
    HKI_GLYPHS_MAX_CHANNELS = 4
};
#define HKI_MAX_DATA_BYTES ((size_t)4 << 30) /* of one file of data, inflated */

typedef enum hki_pixels { HKI_BYTES, HKI_FLOATS } hki_pixels;

/* A set of zeroes that stands for its shape: mean 0, sd 1, classes named by their numbers, no
 * spec yet. HK_BAD_ARGUMENT: a size below 1 or above its limit. */
hk_status hki_data_new(hk_data_shape shape, hki_pixels pixels, hk_data **out);
/* Makes it a set of numbers to learn: targets of 0, mean 0, deviation 1. */
hk_status hki_data_add_targets(hk_data *data);
/* Names the classes; text is copied. */
hk_status hki_data_name(hk_data *data, const char *const *names);
/* A block of n pointers with copies of n texts behind them; NULL: no memory. */
char **hki_copy_texts(const char *const *texts, size_t n);
/* Numbers of an image; below 2^48 by the limits above. */
static inline size_t hki_image_length(const hk_data *data)
{
    const hk_data_shape *s = &data->shape;
    return (size_t)s->height * (size_t)s->width * (size_t)s->channels;
}
/* Sets the scaling of a channel. */
void hki_data_scale(hk_data *data, int channel, double mean, double deviation);
/* hk_data_split() of what was read from `path`: too few samples are bad data. */
hk_status hki_data_keep_test(const char *path, hk_data *train, double share, double seed,
                             hk_data **out);
/* Gives both sets the mean and standard deviation of `train`, by channel. */
void hki_data_standardise(hk_data *train, hk_data *test);
/* What the net should answer: (target - mean) / deviation. */
static inline float hki_data_standard_target(const hk_data *data, int64_t sample)
{
    return (float)(((double)data->targets[sample] - data->target_mean) / data->target_deviation);
}
/* `count` images from `first` on, standardised, into x. */
void hki_data_images(const hk_data *data, int64_t first, int64_t count, float *x);
/* Has the memory of an image on its way: it is read soon, after another one somewhere else. */
void hki_data_prefetch(const hk_data *data, int64_t image);
/* Standardised pixels column..column+columns-1 of a row of an image: x[columns][channels]. */
void hki_data_row(const hk_data *data, int64_t image, int row, int column, int columns, float *x);

/* ---- Sources --------------------------------------------------------------------------------- */

/* What a spec asks of a source. */
typedef struct hki_request {
    const char *spec, *path; /* path: NULL where the source takes none */
    const double *values;    /* of its options */
    bool test_alone;         /* the training set is not wanted: its files may be absent */
} hki_request;
/* The text of an option of type HKI_TEXT; `otherwise` where it is not given. */
const char *hki_request_text(const hki_request *request, int option, const char *otherwise,
                             char out[HKI_MAX_NAME]);
/* A source fills pixels, labels and class names of two sets. */
typedef hk_status hki_source_open(const hki_request *request, hk_data **train, hk_data **test);

typedef struct hki_source {
    const char *form, *summary; /* "csv:FILE", or "glyphs": takes no path; a line about it */
    hki_source_open *open;
    hk_param options[HKI_MAX_OPTIONS]; /* ends with a row without a name */
} hki_source;

/* Whether there may be a file: false only when the system knows of none. */
bool hki_data_file_exists(const char *path);
bool hki_is_folder(const char *path);

hki_source_open hki_mnist_open, hki_fashion_open, hki_idx_open, hki_cifar_open, hki_cifar_100_open,
    hki_csv_open, hki_npz_open, hki_images_open, hki_glyphs_open;

/* An array in a file of numbers: IDX, NumPy. The numbers lie in the file's bytes, row-major. */
typedef enum hki_number { HKI_UNSIGNED, HKI_SIGNED, HKI_FLOATING } hki_number;
typedef struct hki_array {
    int ndim;
    size_t dims[HKI_MAX_DIMS], count;
    hki_number number;
    int width; /* bytes of a number: 1, 2, 4, 8 */
    bool big_endian;
    const uint8_t *values;
} hki_array;
double hki_array_value(const hki_array *array, size_t i);
/* Images [n][h][w], [n][h][w][c] or rows [n][columns] with whole labels [n] or [n][1] as a set; `nchw`:
 * [n][c][h][w]. `classes` are those of the training set; found from the labels where its n is 0. */
hk_status hki_array_set(const char *path, const hki_array *images, const char *labels_path,
                        const hki_array *labels, bool nchw, hki_classes *classes, hk_data **out);

typedef struct hki_csv_options {
    const char *label, *drop; /* a column, "none"; columns "a+b", "" */
    const char *target;       /* the column of numbers to learn in place of a label; NULL: none */
    const hk_card *card;      /* NULL, or: the columns are those that a net learned from */
    int height, width, channels; /* 0: columns */
    hki_header header;
} hki_csv_options;

/* Parsers of bytes, for sources and fuzz targets; `path` is for messages. All fail with HK_BAD_DATA. */
hk_status hki_csv_parse(const char *path, const uint8_t *bytes, size_t size,
                        const hki_csv_options *options, hk_data **out);
/* Records of `labels` label bytes, of which number `label` counts and is below `classes`, and an image
 * of 32 x 32 x 3. */
hk_status hki_cifar_parse(const char *path, const uint8_t *bytes, size_t size, int labels,
                          int label, int classes, size_t *records);
/* The array in an .npy file, or in a member of an .npz file. */
hk_status hki_npy_parse(const char *path, const uint8_t *bytes, size_t size, hki_array *out);
/* An IDX file of any type, of `most` dimensions at most. */
hk_status hki_idx_parse(const char *path, const uint8_t *bytes, size_t size, hki_array *out);

/* Options, in the order of the table in source.c. */
enum { HKI_GLYPHS_TRAIN, HKI_GLYPHS_TEST, HKI_GLYPHS_SIZE, HKI_GLYPHS_CHANNELS, HKI_GLYPHS_SEED };
enum {
    HKI_CSV_LABEL,
    HKI_CSV_TARGET,
    HKI_CSV_TEST,
    HKI_CSV_SEED,
    HKI_CSV_HEIGHT,
    HKI_CSV_WIDTH,
    HKI_CSV_CHANNELS,
    HKI_CSV_DROP,
    HKI_CSV_HEADER
};
enum { HKI_IMAGES_SIZE, HKI_IMAGES_CHANNELS, HKI_IMAGES_TEST, HKI_IMAGES_SEED };
enum { HKI_NPZ_TEST, HKI_NPZ_SEED, HKI_NPZ_ORDER };
enum { HKI_IDX_LABELS, HKI_IDX_PREFIX, HKI_IDX_TEST, HKI_IDX_SEED };
enum { HKI_CIFAR_100_LABELS };
