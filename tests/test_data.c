/* Data sets: IDX and CIFAR-10 from files written here, damaged in every way that fits a test, and specs.
 * Real data sets are read when HILLOCK_DATA_DIR names a folder with mnist/, fashion-mnist/ and
 * cifar-10/. */
#include "counted.h"
#include "data_files.h"
#include "data/picture.h"
#include "io/io.h"

#include <sys/stat.h>

/* ---- IDX ------------------------------------------------------------------------------------- */

enum { IMAGES = 7, TESTS = 3, ROWS = 3, COLUMNS = 2, AREA = ROWS * COLUMNS };

static uint8_t images[16 + IMAGES * AREA], labels[8 + IMAGES];

/* Pixel k of image i is 10 i + k, its label is i % 4. */
static void make_idx(int n)
{
    const uint8_t image_header[16] = {0, 0, 8, 3,    0, 0, 0, (uint8_t)n,
                                      0, 0, 0, ROWS, 0, 0, 0, COLUMNS};
    const uint8_t label_header[8] = {0, 0, 8, 1, 0, 0, 0, (uint8_t)n};
    memcpy(images, image_header, 16);
    memcpy(labels, label_header, 8);
    for (int i = 0; i < n; i++) {
        labels[8 + i] = (uint8_t)(i % 4);
        for (int k = 0; k < AREA; k++)
            images[16 + i * AREA + k] = (uint8_t)(10 * i + k);
    }
}

/* A good MNIST folder: plain test set, training set with gzip images. */
static void put_mnist(void)
{
    make_idx(TESTS);
    put("t10k-images-idx3-ubyte", images, 16 + TESTS * AREA);
    put("t10k-labels-idx1-ubyte", labels, 8 + TESTS);
    make_idx(IMAGES);
    put_gzip("train-images-idx3-ubyte.gz", images, sizeof images);
    put("train-labels-idx1-ubyte", labels, sizeof labels);
}

static void idx_is_read(void)
{
    hk_data *train, *test;
    put_mnist();
    CHECK_EQUAL(hk_data_open(spec_of("mnist", ""), &train, &test), HK_OK);
    if (train && test) {
        hk_data_shape s = hk_data_shape_of(train);
        CHECK(s.n == IMAGES && s.height == ROWS && s.width == COLUMNS && s.channels == 1);
        CHECK_EQUAL(s.classes, 10);
        CHECK_EQUAL(hk_data_shape_of(test).n, TESTS);
        CHECK_TEXT(hk_data_spec(train), spec_of("mnist", ""));
        CHECK_TEXT(hk_data_class_name(train, 7), "7");
        /* Of 10 i + k over i = 0..6, k = 0..5: mean 32.5, variance 100 * 4 + 35/12. */
        float x[2 * AREA], sd = sqrtf(400 + 35.f / 12);
        int32_t label[2];
        hk_data_read(train, (const uint32_t[]){6, 1}, 2, x, label);
        CHECK(label[0] == 2 && label[1] == 1);
        CHECK_NEAR(x[0], (60 - 32.5f) / sd, 1e-6);
        CHECK_NEAR(x[AREA + 3], (13 - 32.5f) / sd, 1e-6);
        hk_data_read(test, (const uint32_t[]){2}, 1, x, label);
        CHECK_NEAR(x[5], (25 - 32.5f) / sd, 1e-6);
    }
    hk_data_free(train);
    hk_data_free(test);
    CHECK_EQUAL(hk_data_open(spec_of("fashion-mnist", ""), &train, NULL), HK_OK);
    CHECK_TEXT(hk_data_class_name(train, 1), "Trouser");
    CHECK_TEXT(hk_data_class_name(train, 9), "Ankle boot");
    CHECK_TEXT(hk_data_class_name(train, 10), "no such class");
    hk_data_free(train);
    remove_all();
}

static void idx_names_with_a_point_are_found(void)
{
    make_idx(TESTS);
    put("train-images.idx3-ubyte", images, 16 + TESTS * AREA);
    put("train-labels.idx1-ubyte", labels, 8 + TESTS);
    put("t10k-images.idx3-ubyte", images, 16 + TESTS * AREA);
    check_refused(spec_of("mnist", ""), "t10k-labels-idx1-ubyte", folder);
    put_gzip("t10k-labels.idx1-ubyte.gz", labels, 8 + TESTS);
    CHECK_EQUAL(open_status(spec_of("mnist", "")), HK_OK);
    remove_all();
}

/* Every prefix of the file, and the file with a byte too many. */
static void check_lengths(const char *name, const uint8_t *good, size_t size)
{
    uint8_t longer[256] = {0};
    memcpy(longer, good, size);
    for (size_t length = 0; length <= size + 1; length++) {
        put(name, longer, length);
        if (length == size)
            CHECK_EQUAL(open_status(spec_of("mnist", "")), HK_OK);
        else
            check_refused(spec_of("mnist", ""), name, "expected");
    }
    put(name, good, size);
}

static void idx_of_another_length_is_refused(void)
{
    put_mnist();
    unlink(at("train-images-idx3-ubyte.gz"));
    check_lengths("train-images-idx3-ubyte", images, sizeof images);
    check_lengths("train-labels-idx1-ubyte", labels, sizeof labels);
    remove_all();
}

/* One side is enough. */
static void idx_of_two_sizes_is_refused(void)
{
    put_mnist();
    make_idx(TESTS);
    images[7] = labels[7] = 1; /* all of them as one high image */
    images[11] = TESTS * ROWS;
    put("t10k-images-idx3-ubyte", images, 16 + TESTS * AREA);
    put("t10k-labels-idx1-ubyte", labels, 8 + 1);
    check_refused(spec_of("mnist", ""), "training images are 3 x 2, test images 9 x 2", folder);
    remove_all();
}

static void idx_cut_gzip_is_refused(void)
{
    uint8_t packed[256];
    put_mnist();
    FILE *file = fopen(at("train-images-idx3-ubyte.gz"), "rb");
    size_t size = file ? fread(packed, 1, sizeof packed, file) : 0;
    if (file)
        fclose(file);
    CHECK(size > 20 && size < sizeof packed);
    for (size_t length = 0; length < size; length++) {
        put("train-images-idx3-ubyte.gz", packed, length);
        check_refused(spec_of("mnist", ""), "train-images-idx3-ubyte.gz", ":");
    }
    remove_all();
}

static void idx_of_other_content_is_refused(void)
{
    const char *spec = spec_of("mnist", "");
    put_mnist();
    put_text("train-labels-idx1-ubyte", "<!DOCTYPE html><html>404</html>");
    check_refused(spec, "an HTML page", "train-labels-idx1-ubyte");
    put_text("train-labels-idx1-ubyte", "version https://git-lfs.github.com/spec/v1\n");
    check_refused(spec, "a Git LFS pointer", "train-labels-idx1-ubyte");
    put("train-labels-idx1-ubyte", images, sizeof images);
    check_refused(spec, "labels in 3 dimensions", "expected one for each of 7 images");
    labels[8 + 5] = 10;
    put("train-labels-idx1-ubyte", labels, sizeof labels);
    check_refused(spec, "label 10 of record 5", "0..9");
    make_idx(IMAGES - 1);
    put("train-labels-idx1-ubyte", labels, sizeof labels - 1);
    check_refused(spec, "6 labels", "7 images");
    remove_all();
}

static void idx_headers_that_lie_are_refused(void)
{
    const char *spec = spec_of("mnist", "");
    put_mnist();
    unlink(at("train-images-idx3-ubyte.gz"));
    for (int byte = 4; byte < 16; byte++) {
        for (int value = 0; value < 256; value += 51) {
            uint8_t before = images[byte];
            if (before == value)
                continue;
            images[byte] = (uint8_t)value;
            put("train-images-idx3-ubyte", images, sizeof images);
            check_refused(spec, "train-images-idx3-ubyte", "");
            images[byte] = before;
        }
    }
    memset(images + 4, 0xff, 12);
    put("train-images-idx3-ubyte", images, sizeof images);
    check_refused(spec, "dimension 0 is 4294967295", "2147483647");
    make_idx(IMAGES);
    images[15] = 3; /* the same bytes as other shapes than the test set's */
    images[11] = 2;
    put("train-images-idx3-ubyte", images, sizeof images);
    check_refused(spec, "2 x 3", "3 x 2");
    remove_all();
}

/* ---- CIFAR-10 -------------------------------------------------------------------------------- */

enum { PLANE = 32 * 32, RECORD = 1 + 3 * PLANE };

static uint8_t records[3 * RECORD];

/* Record i: label i, red 10 i + position % 7, green 100, blue 200 + i. */
static void make_cifar(void)
{
    for (int i = 0; i < 3; i++) {
        uint8_t *record = records + i * RECORD;
        record[0] = (uint8_t)i;
        for (int k = 0; k < PLANE; k++)
            record[1 + k] = (uint8_t)(10 * i + k % 7);
        memset(record + 1 + PLANE, 100, PLANE);
        memset(record + 1 + 2 * PLANE, 200 + i, PLANE);
    }
}

static void put_cifar(void)
{
    make_cifar();
    put("data_batch_1.bin", records, 2 * RECORD);
    put("data_batch_4.bin", records, RECORD);
    put("test_batch.bin", records, sizeof records);
}

static void cifar_is_read(void)
{
    hk_data *train, *test;
    put_cifar();
    put_text("batches.meta.txt", "airplane\nautomobile\nbird\ncat\ndeer\r\ndog\nfrog\nhorse\nship\n"
                                 "truck\n\n");
    CHECK_EQUAL(hk_data_open(spec_of("cifar-10", ""), &train, &test), HK_OK);
    if (train && test) {
        hk_data_shape s = hk_data_shape_of(train);
        CHECK(s.n == 3 && s.height == 32 && s.width == 32 && s.channels == 3 && s.classes == 10);
        CHECK_EQUAL(hk_data_shape_of(test).n, 3);
        CHECK_TEXT(hk_data_class_name(train, 4), "deer");
        CHECK_TEXT(hk_data_class_name(test, 9), "truck");
        const uint8_t *pixel = train->bytes + (PLANE + 8) * 3; /* image 1, position 8 */
        CHECK(pixel[0] == 11 && pixel[1] == 100 && pixel[2] == 201);
        CHECK(train->labels[0] == 0 && train->labels[1] == 1 && train->labels[2] == 0);
        CHECK_NEAR(train->mean[1], 100, 0);
        CHECK_NEAR(train->inverse_sd[1], 1, 0); /* a constant channel is only centred */
        CHECK_NEAR(train->mean[2], 200 + 1 / 3., 1e-4);
        CHECK_NEAR(train->inverse_sd[2], 1 / sqrt(2 / 9.), 1e-4);
        CHECK_NEAR(test->mean[2], train->mean[2], 0);
    }
    hk_data_free(train);
    hk_data_free(test);
    remove_all();
}

static void cifar_without_names_has_numbers(void)
{
    hk_data *train;
    put_cifar();
    CHECK_EQUAL(hk_data_open(spec_of("cifar-10", ""), &train, NULL), HK_OK);
    CHECK_TEXT(hk_data_class_name(train, 4), "4");
    hk_data_free(train);
    remove_all();
}

static void cifar_cut_is_refused(void)
{
    put_cifar();
    for (size_t length = 0; length < 2 * RECORD; length += length % 64 == 0 ? 63 : 1) {
        put("data_batch_1.bin", records, length);
        if (length % RECORD || length == 0)
            check_refused(spec_of("cifar-10", ""), "data_batch_1.bin", "expected");
    }
    remove_all();
}

static void cifar_of_other_content_is_refused(void)
{
    const char *spec = spec_of("cifar-10", "");
    put_cifar();
    put_text("test_batch.bin", "<html><body>Not found</body></html>");
    check_refused(spec, "an HTML page", "test_batch.bin");
    put("test_batch.bin", "", 0);
    check_refused(spec, "an empty file", "test_batch.bin");
    records[2 * RECORD] = 77;
    put("test_batch.bin", records, sizeof records);
    check_refused(spec, "label 77 of record 2", "0..9");
    unlink(at("test_batch.bin"));
    check_refused(spec, "has no test_batch.bin", folder);
    make_cifar();
    put("test_batch.bin", records, RECORD);
    put_text("batches.meta.txt", "cat\ndog\n");
    check_refused(spec, "2 class names", "expected 10");
    remove_all();
    check_refused(spec, "has no data_batch_1.bin", folder);
}

/* ---- Heads ----------------------------------------------------------------------------------- */

/* 3 GB of which the disk has nothing: their first bytes rule them out. */
static void large_files_are_judged_by_their_head(void)
{
    static const char *const names[] = {"train-images-idx3-ubyte", "a.csv", "a.npz", "a.png"};
    static const char *const kinds[] = {"mnist", "csv", "npz"};
    hki_picture picture;
    for (int i = 0; i < 4; i++) {
        put(names[i], "\0", 1);
        CHECK_EQUAL(truncate(at(names[i]), (off_t)3 << 30), 0);
        bytes_read = 0;
        hki_files.read = counting_read;
        if (i < 3) {
            put("train-labels-idx1-ubyte", "\0", 1);
            CHECK_EQUAL(open_status(spec_of(kinds[i], i ? names[i] : "")), HK_BAD_DATA);
        } else {
            CHECK_EQUAL(hki_picture_read(at(names[i]), &picture), HK_BAD_DATA);
        }
        hki_files.read = read;
        CHECK(bytes_read <= HKI_HEAD);
    }
    remove_all();
}

static void sets_beyond_memory_are_told_before_they_are_read(void)
{
    const uint8_t header[] = {0, 0, 8, 3, 0, 1, 0, 0,
                              0, 1, 0, 0, 0, 0, 4, 0}; /* 2^16 x 2^16 x 2^10 */
    hk_data *train;
    put_mnist();
    put_gzip("train-images-idx3-ubyte.gz", header, sizeof header);
    unlink(at("train-images-idx3-ubyte"));
    check_refused(spec_of("mnist", ""), "declares 4398046511104 numbers of 1 bytes", "at most");
    CHECK_EQUAL(hk_data_open("glyphs:train=10000000,size=512,channels=4", &train, NULL),
                HK_NO_MEMORY);
    CHECK_CONTAINS(hk_message(),
                   "10000000 images of 512 x 512 x 4 take 10486 GB, this machine has");
    remove_all();
}

/* ---- Specs ----------------------------------------------------------------------------------- */

static void check_spec(const char *spec, hk_status expected, const char *word)
{
    CHECK_EQUAL(open_status(spec), expected);
    CHECK_CONTAINS(hk_message(), word);
}

static void specs_are_checked(void)
{
    check_spec("imagenet:/data", HK_UNKNOWN_NAME, "no data set named \"imagenet\"");
    CHECK_CONTAINS(hk_message(),
                   "mnist:DIR, fashion-mnist:DIR, idx:PATH, cifar-10:DIR, cifar-100:DIR, "
                   "images:DIR, csv:FILE, npz:FILE, glyphs");
    check_spec("glyph", HK_UNKNOWN_NAME, "did you mean \"glyphs\"?");
    check_spec("", HK_UNKNOWN_NAME, "known: mnist:DIR");
    check_spec("mnist", HK_BAD_ARGUMENT, "expected mnist:DIR");
    check_spec("mnist:", HK_BAD_ARGUMENT, "expected mnist:DIR");
    check_spec("mnist:/nowhere/at/all", HK_BAD_DATA, "train-images-idx3-ubyte");
    check_spec("mnist:/nowhere,size=3", HK_UNKNOWN_NAME, "known: none");
    check_spec("csv:/nowhere.csv", HK_BAD_DATA, "/nowhere.csv");
    check_spec("csv:\"/no,where.csv\",label=last", HK_BAD_DATA, "/no,where.csv");
    check_spec("csv:\"/no,where.csv", HK_BAD_ARGUMENT, "expected a quote behind the path");
    check_spec("glyphs:sise=3", HK_UNKNOWN_NAME, "train, test, size, channels, seed");
    check_spec("glyphs:size", HK_BAD_ARGUMENT, "\"size\" is not key=value");
    check_spec("glyphs:size=7", HK_BAD_ARGUMENT, "size=7 is outside [8, 512]");
    check_spec("glyphs:seed=1.5", HK_BAD_ARGUMENT, "whole");
    check_spec("glyphs:seed=1,seed=2", HK_BAD_ARGUMENT, "seed is given twice");
    check_spec("mnits:/data", HK_UNKNOWN_NAME, "did you mean \"mnist:DIR\"?");
    CHECK_EQUAL(open_status(NULL), HK_BAD_ARGUMENT);
    char longer[5000];
    memset(longer, 'a', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    memcpy(longer, "glyphs:", 7);
    check_spec(longer, HK_BAD_ARGUMENT, "4999 bytes");
}

static void refused_memory_is_survived(void)
{
    put_mnist();
    put_cifar();
    put_text("batches.meta.txt", "a\nb\nc\nd\ne\nf\ng\nh\ni\nj\n");
    check_allocations(act_open, spec_of("mnist", ""), 20);
    check_allocations(act_open, spec_of("fashion-mnist", ""), 20);
    check_allocations(act_open, spec_of("cifar-10", ""), 20);
    check_allocations(act_open, "glyphs:train=10,test=10,seed=3", 15);
    remove_all();
}

/* ---- Real data ------------------------------------------------------------------------------- */

#ifndef HILLOCK_DATA_DIR
#define HILLOCK_DATA_DIR ""
#endif

/* "source:folder/name" of a real data set, or NULL when it is not there. */
static const char *real_spec(const char *name)
{
    static char spec[4096];
    struct stat info;
    const char *root = getenv("HILLOCK_DATA_DIR");
    if (!root)
        root = HILLOCK_DATA_DIR;
    snprintf(spec, sizeof spec, "%s:%s/%s", name, root, name);
    return *root && stat(strchr(spec, ':') + 1, &info) == 0 ? spec : NULL;
}

static void check_real(const char *spec, int64_t n_train, int64_t n_test, double mean, double sd,
                       const char *class_1)
{
    hk_data *train, *test;
    CHECK_EQUAL(hk_data_open(spec, &train, &test), HK_OK);
    if (train && test) {
        CHECK_EQUAL(train->shape.n, n_train);
        CHECK_EQUAL(test->shape.n, n_test);
        CHECK_NEAR((double)train->mean[0] / 255, mean, 5e-5);
        CHECK_NEAR(1 / (double)train->inverse_sd[0] / 255, sd, 5e-5);
        CHECK_TEXT(hk_data_class_name(train, 1), class_1);
    } else {
        printf("  %s\n", hk_message());
    }
    hk_data_free(train);
    hk_data_free(test);
}

static void real_mnist(void)
{
    const char *spec = real_spec("mnist");
    if (!spec)
        SKIP("HILLOCK_DATA_DIR names no folder with mnist/");
    check_real(spec, 60000, 10000, 0.1307, 0.3081, "1");
}

static void real_fashion_mnist(void)
{
    const char *spec = real_spec("fashion-mnist");
    if (!spec)
        SKIP("HILLOCK_DATA_DIR names no folder with fashion-mnist/");
    check_real(spec, 60000, 10000, 0.2860, 0.3530, "Trouser");
}

static void real_cifar(void)
{
    const char *spec = real_spec("cifar-10");
    hk_data *train, *test;
    if (!spec)
        SKIP("HILLOCK_DATA_DIR names no folder with cifar-10/");
    CHECK_EQUAL(hk_data_open(spec, &train, &test), HK_OK);
    if (train && test) {
        CHECK(train->shape.n >= 10000 && test->shape.n >= 1000);
        CHECK_TEXT(hk_data_class_name(train, 3), "cat");
        /* Of all 50,000 images: .4914 .4822 .4465. */
        CHECK_NEAR((double)train->mean[0] / 255, 0.4914, 0.01);
        CHECK_NEAR((double)train->mean[2] / 255, 0.4465, 0.01);
    }
    hk_data_free(train);
    hk_data_free(test);
}

int main(void)
{
    make_folder();
    RUN(idx_is_read);
    RUN(idx_names_with_a_point_are_found);
    RUN(idx_of_another_length_is_refused);
    RUN(idx_of_two_sizes_is_refused);
    RUN(idx_cut_gzip_is_refused);
    RUN(idx_of_other_content_is_refused);
    RUN(idx_headers_that_lie_are_refused);
    RUN(cifar_is_read);
    RUN(cifar_without_names_has_numbers);
    RUN(cifar_cut_is_refused);
    RUN(cifar_of_other_content_is_refused);
    RUN(large_files_are_judged_by_their_head);
    RUN(sets_beyond_memory_are_told_before_they_are_read);
    RUN(specs_are_checked);
    RUN(refused_memory_is_survived);
    RUN(real_mnist);
    RUN(real_fashion_mnist);
    RUN(real_cifar);
    rmdir(folder);
    return check_result();
}
