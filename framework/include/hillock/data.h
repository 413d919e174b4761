/* hillock/data.h - data sets in memory, and batches of them.
 *
 * A data set is n images [height x width x channels] with labels 0..classes-1. Pixels are kept
 * as bytes or floats; batches are floats, standardised: (pixel - mean[channel]) / sd[channel],
 * with mean and standard deviation of the training set. A set of regression has a real number to learn
 * for each sample in place of a class; batches have it standardised likewise. */
#pragma once
#include <stdint.h>
#include <hillock/card.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct hk_data hk_data;

/* Opens a data set: "mnist:DIR", "fashion-mnist:DIR", "idx:PATH", "cifar-10:DIR", "cifar-100:DIR",
 * "images:DIR", "csv:FILE", "npz:FILE", "glyphs"; docs/data.md has their options. A path with a comma is
 * quoted: csv:"a,b.csv",label=first.
 * Free *train and *test with hk_data_free; `test` may be NULL. `train` may be NULL, where `test` is not:
 * then the files of a training part may be absent, and the test set is scaled by itself until
 * hk_data_conform() says how.
 * HK_BAD_DATA: missing, damaged or of another format; the message has file, position, expected and found.
 * HK_UNKNOWN_NAME lists the known sources. [any thread] */
hk_status hk_data_open(const char *spec, hk_data **train, hk_data **test);

/* The i-th kind of data set, from 0, as "csv:FILE", and a line about it; NULL after the last. Both are
 * constants. [any thread] */
const char *hk_data_source(int i, const char **summary);

/* A data set from copies of x[n][height][width][channels] and labels[n] in 0..classes-1; not
 * standardised. HK_BAD_ARGUMENT: a size below 1, a label out of range, a number that is not finite. */
hk_status hk_data_from_arrays(int64_t n, int height, int width, int channels, int classes,
                              const float *x, const int32_t *labels, hk_data **out);
void hk_data_free(hk_data *data);

/* Splits `data`: moves a random share (0 < share < 1), stratified by class, into a new set *out. `data`
 * must have no loader. HK_BAD_ARGUMENT: either part would be empty. */
hk_status hk_data_split(hk_data *data, double share, uint64_t seed, hk_data **out);

typedef struct hk_data_shape {
    int64_t n;
    int height, width, channels, classes;
} hk_data_shape;
hk_data_shape hk_data_shape_of(const hk_data *data);
const char *hk_data_spec(const hk_data *data); /* canonical spec; "arrays" */
/* How the files were interpreted, for people: "150 rows, 4 features, 3 classes (setosa 50, ...), label:
 * species, header skipped, delimiter ,"; or "". */
const char *hk_data_about(const hk_data *data);
/* Name of a class, "Trouser", or its number. */
const char *hk_data_class_name(const hk_data *data, int label);
/* 1: a set of regression, in which numbers are learned; it has one class, and 0 for every label. */
int hk_data_is_regression(const hk_data *data);
/* What a sample of regression has to be, in the unit of the file; NAN where it is not known, or classes are
 * learned. */
double hk_data_target(const hk_data *data, int64_t sample);
/* Name of a sample: the file of a picture, "line 7" of a table; "" where samples have none. */
const char *hk_data_sample_name(const hk_data *data, int64_t sample);

/* ---- Data for a net that has been trained ------------------------------------------------------ */

/* What a net that learns from this set should know: hk_net_set_card() copies it. *out points into the set
 * and is valid as long as it. */
hk_status hk_data_card(const hk_data *data, hk_card *out);

/* Makes a set what a net with this card expects: scaled as its training data were, labels by the names of
 * its classes, columns by the names of its features, in its order. `data` must have no loader.
 * HK_BAD_DATA: a class that the net does not know, a column that is absent, another number of channels;
 * the set is not changed then. */
hk_status hk_data_conform(hk_data *data, const hk_card *card);

/* Samples to predict: a picture, a folder of pictures (in the order of their names), a table, or "-", a
 * table on standard input; in the order of the file. Columns are found by the names in the card; a table
 * without a header has the features in their order, and perhaps the label where it was. Labels may be
 * absent: -1. height x width x channels is the net's input. Free *out with hk_data_free. */
hk_status hk_data_samples(const char *path, const hk_card *card, int height, int width,
                          int channels, hk_data **out);

/* Writes the standardised images index[0..count-1] to x and their labels to labels, -1 where
 * a sample has none.
 * HK_BAD_ARGUMENT: an index out of range; then nothing is written. */
hk_status hk_data_read(const hk_data *data, const uint32_t *index, int64_t count, float *x,
                       int32_t *labels);

/* ---- Streams of tasks ------------------------------------------------------------------------- */

/* Makes `data` a stream of tasks, which a net learns one after another (docs/streams.md):
 *     permute:tasks=100,images=0   each task has one random permutation of the pixels
 *     labels:tasks=100,images=0    each task has one random permutation of the classes
 *     classes:tasks=100,per=2,images=0
 *                                  each task has `per` of the classes, in turn, which it calls 0 to per-1
 * A task has `images` of the images, 0: all, or of `classes` as many as each class has; they are the same
 * in all tasks. `whole`, of a set that is not learned from: not `images` but all. What is random depends on
 * the seed, the task and how many images the set has alone: sets of one seed have the same permutations.
 * The set shows its first task; the trainer shows one after another, an epoch each. Its shape is that of a
 * task. `data` must have no loader and not be split.
 * HK_UNKNOWN_NAME, HK_BAD_ARGUMENT: the message has the choices; then the set is as it was. */
hk_status hk_data_stream(hk_data *data, const char *stream, uint64_t seed, int whole);
/* How many tasks a stream has. Failures as above. [any thread] */
hk_status hk_stream_tasks(const char *stream, int64_t *tasks);

/* ---- Batches ---------------------------------------------------------------------------------- */

typedef struct hk_loader hk_loader;

typedef struct hk_loader_options {
    int batch;   /* mini-batch size; the last batch of an epoch may be smaller */
    int shuffle; /* 1: shuffles each epoch, by seed and epoch alone */
    const char *
        augment; /* NULL, "none", or "crop=4,flip" : random crop after zero padding by 4, horizontal flip */
    uint64_t seed;
    /* Of `ranks` processes, 0 counts as 1, that of number `rank` gets samples n rank / ranks to
     * n (rank + 1) / ranks of each batch of n, rounded down (team.h): reads and augments them alone. */
    int rank, ranks;
} hk_loader_options;

/* `data` must outlive the loader and not be split. A background thread prepares the next batch. */
hk_status hk_loader_new(const hk_data *data, const hk_loader_options *options, hk_loader **out);
void hk_loader_free(hk_loader *loader);

/* Starts an epoch; order and augmentation depend on seed and epoch alone. */
void hk_loader_start(hk_loader *loader, int64_t epoch);

typedef struct hk_batch {
    int64_t n;             /* with ranks, it may be 0 in a batch that is not */
    const float *x;        /* [n][height][width][channels], valid until the next call */
    const int32_t *labels; /* [n] */
    const float *targets;  /* [n], standardised; NULL where classes are learned */
    int64_t whole;         /* samples of all ranks together */
} hk_batch;
/* The next batch; whole = 0 after the last. */
hk_batch hk_loader_next(hk_loader *loader);

#ifdef __cplusplus
}
#endif
