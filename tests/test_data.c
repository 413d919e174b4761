/* Data sets: every source from files written here, damaged in every way that fits a test;
 * statistics, splits and batches. Real data sets are read when HILLOCK_DATA_DIR names a folder with
 * mnist/, fashion-mnist/ and cifar-10/. */
#include "check.h"
#include "data/data.h"
#include "data/picture.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

static char folder[64];

/* ---- Files ----------------------------------------------------------------------------------- */

enum { MAX_FILES = 64 };
static char written[MAX_FILES][256];
static int n_written;

/* A path inside the test's folder; a few may be in use at a time. */
static const char *at(const char *name)
{
    static char paths[8][256];
    static int turn;
    char *path = paths[turn++ % 8];
    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

static void remember(const char *path)
{
    for (int i = 0; i < n_written; i++)
        if (strcmp(written[i], path) == 0)
            return;
    if (n_written < MAX_FILES)
        snprintf(written[n_written++], sizeof written[0], "%s", path);
}

static void put(const char *name, const void *bytes, size_t size)
{
    FILE *file = fopen(at(name), "wb");
    CHECK(file != NULL);
    if (!file)
        return;
    CHECK_EQUAL(fwrite(bytes, 1, size, file), size);
    fclose(file);
    remember(at(name));
}

static void put_text(const char *name, const char *text)
{
    put(name, text, strlen(text));
}

static void put_gzip(const char *name, const void *bytes, size_t size)
{
    gzFile file = gzopen(at(name), "wb");
    CHECK(file != NULL);
    if (!file)
        return;
    CHECK_EQUAL(gzwrite(file, bytes, (unsigned)size), size);
    gzclose(file);
    remember(at(name));
}

static void remove_all(void)
{
    while (n_written > 0)
        unlink(written[--n_written]);
}

/* "kind:folder/name" */
static const char *spec_of(const char *kind, const char *name)
{
    static char spec[512];
    snprintf(spec, sizeof spec, "%s:%s%s%s", kind, folder, *name ? "/" : "", name);
    return spec;
}

static hk_status open_status(const char *spec)
{
    hk_data *train, *test;
    hk_status status = hk_data_open(spec, &train, &test);
    CHECK((status == HK_OK) == (train != NULL) && (status == HK_OK) == (test != NULL));
    hk_data_free(train);
    hk_data_free(test);
    return status;
}

/* Refused as bad data, with both words in the sentence, and nothing leaked. */
static void check_refused(const char *spec, const char *word, const char *other)
{
    size_t before = hki_live_blocks();
    CHECK_EQUAL(open_status(spec), HK_BAD_DATA);
    CHECK_CONTAINS(hk_message(), word);
    CHECK_CONTAINS(hk_message(), other);
    CHECK_EQUAL(hki_live_blocks(), before);
}

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

/* ---- CSV ------------------------------------------------------------------------------------- */

static hk_status parse(const char *text, hki_csv_options options, hk_data **out)
{
    options.label = options.label ? options.label : "last";
    options.drop = options.drop ? options.drop : "";
    options.channels = options.channels ? options.channels : 1;
    return hki_csv_parse("t.csv", (const uint8_t *)text, strlen(text), &options, out);
}

/* A table that is read, and what is said of it: `about` stands in the line. */
static hk_data *parse_csv(const char *text, hki_csv_options options, const char *about)
{
    hk_data *data;
    hk_status status = parse(text, options, &data);
    CHECK((status == HK_OK) == (data != NULL));
    if (status)
        printf("  %s\n", hk_message());
    else
        CHECK_CONTAINS(data->about, about);
    return data;
}

static void check_csv_refused(const char *text, const char *word, const char *other)
{
    hk_data *data;
    size_t before = hki_live_blocks();
    CHECK_EQUAL(parse(text, (hki_csv_options){0}, &data), HK_BAD_DATA);
    CHECK_CONTAINS(hk_message(), word);
    CHECK_CONTAINS(hk_message(), other);
    CHECK_EQUAL(hki_live_blocks(), before);
}

static void csv_is_read(void)
{
    hk_data *data = parse_csv(
        "\xef\xbb\xbfwidth, height ,kind\r\n1.5, -2e1,0\r\n\r\n 3,4 , 2", (hki_csv_options){0},
        "2 rows, 2 features, 3 classes (0 1, 1 0, 2 1), label: kind, header skipped, delimiter ,");
    if (data) {
        hk_data_shape s = data->shape;
        CHECK(s.n == 2 && s.height == 1 && s.width == 1 && s.channels == 2 && s.classes == 3);
        CHECK(data->floats[0] == 1.5f && data->floats[1] == -20 && data->floats[3] == 4);
        CHECK(data->labels[0] == 0 && data->labels[1] == 2);
        CHECK_TEXT(hk_data_class_name(data, 2), "2");
    }
    hk_data_free(data);
    data = parse_csv("1,5,6\n0,7,8\n", (hki_csv_options){.label = "first"},
                     "label: column 1, no header");
    if (data) {
        CHECK(data->labels[0] == 1 && data->labels[1] == 0);
        CHECK(data->floats[0] == 5 && data->floats[3] == 8);
    }
    hk_data_free(data);
}

static void csv_labels_may_be_names(void)
{
    hk_data *data =
        parse_csv("1,virginica\n2,setosa\n3,virginica\n4,7\n", (hki_csv_options){0}, "3 classes");
    if (data) {
        CHECK_EQUAL(data->shape.classes, 3);
        CHECK_TEXT(hk_data_class_name(data, 0), "7");
        CHECK_TEXT(hk_data_class_name(data, 1), "setosa");
        CHECK(data->labels[0] == 2 && data->labels[1] == 1 && data->labels[3] == 0);
    }
    hk_data_free(data);
}

static void csv_faults_are_told(void)
{
    check_csv_refused("", "an empty file", "CSV");
    check_csv_refused("<html></html>", "an HTML page", "CSV");
    check_csv_refused("\x01\x02\x03", "no text", "CSV");
    check_csv_refused("1,\"a\n2,b\n", "line 1: a quote begins", "does not end");
    check_csv_refused("a,b\n", "line 1: \"a\" in column 1", "a number");
    check_csv_refused("a,b\n\n", "t.csv", "a number");
    check_csv_refused("\n\n", "no records", "t.csv");
    check_csv_refused("5\n6\n", "1 field", "a feature beside the label");
    check_csv_refused("1,2,0\n3,4,0\n5,0\n", "line 3 has 2 fields", "expected 3");
    check_csv_refused("1,2,0\n3,x,0\n", "line 2: \"x\" in column 2", "a number");
    check_csv_refused("1,x,0\n", "line 1: \"x\" in column 2", "a number"); /* half a header */
    check_csv_refused("1,2,0\n3,,0\n", "line 2: \"\" in column 2", "a number");
    check_csv_refused("1,0\n1e39,0\n", "line 2: \"1e39\"", "a number");
    check_csv_refused("1,0\nnan,0\n", "line 2: \"nan\"", "a number");
    check_csv_refused("1,0\n0x10,0\n", "line 2: \"0x10\"", "a number");
    check_csv_refused("1,0\n2,1.5\n", "column 2 holds real numbers such as 1.5", "whole numbers");
    check_csv_refused("1,a\n2,\n", "line 2: \"\" in column 2", "a label");
}

static void check_column(const char *text, hki_csv_options options, float x, const char *name,
                         const char *about)
{
    hk_data *data = parse_csv(text, options, about);
    if (data) {
        CHECK_NEAR(data->floats[0], x, 1e-6);
        CHECK_TEXT(hk_data_class_name(data, data->labels[0]), name);
    }
    hk_data_free(data);
}

/* RFC 4180 and what spreadsheets and data frames make of it. */
static void csv_of_other_programs_is_read(void)
{
    const hki_csv_options last = {0};
    check_column("a,b\n\"1.5\",\"say \"\"no\"\"\"\n2,x\n", last, 1.5f, "say \"no\"",
                 "header skipped");
    check_column("7,\"two\nlines\"\n8,b\n", last, 7, "two\nlines", "no header");
    check_column("a;b\n1,5;x\n2,5;y\n", last, 1.5f, "x", "delimiter ;");
    check_column("a\tb\n1.5\tx\n", (hki_csv_options){.header = HKI_HEADER_YES}, 1.5f, "x",
                 "delimiter tab");
    check_column("1|x\n2|y\n", last, 1, "x", "delimiter |");
    check_column("\"1,5\",x\n\"2,5\",y\n", last, 1.5f, "x", "delimiter ,");
    check_column("0,1,2\n5.1,3.5,1\n4.9,3.0,0\n", last, 5.1f, "1", "header skipped");
    check_column("0,1,2\n1,2,3\n", last, 0, "2", "no header"); /* as much a count as the first */
    check_column("id,x,kind\n1,9,u\n2,8,v\n", (hki_csv_options){.drop = "id"}, 9, "u",
                 "1 features");
    check_column("kind,x\nu,9\nv,8\n", (hki_csv_options){.label = "kind"}, 9, "u", "label: kind");
}

static void csv_labels_may_be_any_numbers(void)
{
    hk_data *data = parse_csv("1,-1\n2,1\n3,-1\n", (hki_csv_options){0}, "2 classes (-1 2, 1 1)");
    if (data)
        CHECK(data->labels[0] == 0 && data->labels[1] == 1);
    hk_data_free(data);
    data = parse_csv("1,1\n2,3\n3,2\n", (hki_csv_options){0}, "3 classes (1 1, 2 1, 3 1)");
    hk_data_free(data);
    data = parse_csv("1,a\n2,a\n", (hki_csv_options){0}, "all rows are of one class");
    hk_data_free(data);
    data = parse_csv("1,2\n3,4\n", (hki_csv_options){.label = "none"}, "2 features, no labels");
    hk_data_free(data);
    data =
        parse_csv("i,x,k\n0,5,a\n1,5,b\n2,6,a\n3,5,b\n4,5,a\n5,5,b\n6,1,a\n7,5,b\n8,5,a\n9,5,b\n",
                  (hki_csv_options){0}, "i counts the rows, drop=i leaves it out");
    hk_data_free(data);
}

static void csv_of_pixels_are_images(void)
{
    const hki_csv_options size = {.label = "label", .height = 2, .width = 2};
    hk_data *data =
        parse_csv("label,p0,p1,p2,p3\n7,0,255,3,4\n0,1,2,3,4\n", size, "images of 2 x 2 x 1");
    if (data) {
        CHECK(data->bytes && data->bytes[1] == 255 && data->shape.height == 2 &&
              data->shape.channels == 1);
        CHECK_TEXT(hk_data_class_name(data, data->labels[0]), "7");
    }
    hk_data_free(data);
    data = parse_csv("label,p0,p1,p2,p3\n7,0,255,3,4\n0,1,2,.5,4\n", size, "images of 2 x 2 x 1");
    CHECK(data && data->floats);
    hk_data_free(data);
    CHECK_EQUAL(parse("1,2,3,a\n", (hki_csv_options){.height = 2, .width = 2}, &data), HK_BAD_DATA);
    CHECK_CONTAINS(hk_message(), "3 features, expected 2 x 2 x 1 = 4");
    CHECK_EQUAL(parse("x,k\n1,a\n", (hki_csv_options){.label = "kid"}, &data), HK_BAD_ARGUMENT);
    CHECK_CONTAINS(hk_message(), "no column \"kid\"; known: first, last, 1..2, x, k");
}

/* 40 records of class 0, 20 of class 1, 10 of class 2; the first column counts them. */
static void put_table(void)
{
    char text[4096];
    size_t used = 0;
    for (int i = 0; i < 70; i++)
        used += (size_t)snprintf(text + used, sizeof text - used, "%d,%d,%d\n", i, 1000 + i * i,
                                 i < 40   ? 0
                                 : i < 60 ? 1
                                          : 2);
    put("table.csv", text, used);
}

static void count_classes(const hk_data *data, int64_t *counts)
{
    memset(counts, 0, 3 * sizeof *counts);
    for (int64_t i = 0; i < data->shape.n; i++)
        counts[data->labels[i]]++;
}

static void csv_is_split_by_class(void)
{
    hk_data *train, *test, *again, *other;
    char spec[512];
    put_table();
    CHECK_EQUAL(hk_data_open(spec_of("csv", "table.csv"), &train, &test), HK_OK);
    snprintf(spec, sizeof spec, "%s,test=0.2,label=last", spec_of("csv", "table.csv"));
    CHECK_EQUAL(hk_data_open(spec, NULL, NULL), HK_BAD_ARGUMENT);
    CHECK_EQUAL(hk_data_open(spec, NULL, &again), HK_OK);
    CHECK(again && test && hk_data_shape_of(again).n == hk_data_shape_of(test).n);
    hk_data_free(again);
    CHECK_EQUAL(hk_data_open(spec, &again, NULL), HK_OK);
    snprintf(spec, sizeof spec, "%s,seed=2,test=0.4", spec_of("csv", "table.csv"));
    CHECK_EQUAL(hk_data_open(spec, &other, NULL), HK_OK);
    if (train && test && again && other) {
        int64_t n[3];
        count_classes(train, n);
        CHECK(n[0] == 32 && n[1] == 16 && n[2] == 8);
        count_classes(test, n);
        CHECK(n[0] == 8 && n[1] == 4 && n[2] == 2);
        count_classes(other, n);
        CHECK(n[0] == 24 && n[1] == 12 && n[2] == 6);
        CHECK(memcmp(train->floats, again->floats, 56 * 2 * sizeof(float)) == 0);
        CHECK(memcmp(train->floats, other->floats, 42 * 2 * sizeof(float)) != 0);
        CHECK_TEXT(hk_data_spec(again), spec_of("csv", "table.csv"));
        snprintf(spec, sizeof spec, "%s,test=0.40000000000000002,seed=2",
                 spec_of("csv", "table.csv"));
        CHECK_TEXT(hk_data_spec(other), spec);
        double sum[2] = {0}, squares[2] = {0};
        for (uint32_t i = 0; i < 56; i++) {
            float x[2];
            int32_t label;
            hk_data_read(train, &i, 1, x, &label);
            for (int c = 0; c < 2; c++) {
                sum[c] += (double)x[c] / 56;
                squares[c] += (double)(x[c] * x[c]) / 56;
            }
        }
        CHECK_NEAR(sum[0], 0, 1e-6);
        CHECK_NEAR(sum[1], 0, 1e-6);
        CHECK_NEAR(squares[0], 1, 1e-5);
        CHECK_NEAR(squares[1], 1, 1e-5);
    }
    hk_data_free(train);
    hk_data_free(test);
    hk_data_free(again);
    hk_data_free(other);
    remove_all();
}

static void csv_test_set_may_be_a_file(void)
{
    hk_data *train = NULL, *test = NULL;
    char spec[512];
    put_text("a,b.csv", "x,k\n1,b\n2,a\n3,c\n");
    put_text("new.csv", "x,k\n9,c\n8,b\n");
    snprintf(spec, sizeof spec, "csv:\"%s\",test=%s", at("a,b.csv"), at("new.csv"));
    CHECK_EQUAL(hk_data_open(spec, &train, &test), HK_OK);
    if (train && test) {
        CHECK(train->shape.n == 3 && test->shape.n == 2 && test->shape.classes == 3);
        CHECK_TEXT(hk_data_class_name(test, test->labels[0]), "c");
        CHECK_TEXT(hk_data_spec(train), spec);
    }
    hk_data_free(train);
    hk_data_free(test);
    put_text("new.csv", "x,k\n9,d\n");
    check_refused(spec, "line 2: \"d\" in k", "a class of the training set");
    snprintf(spec, sizeof spec, "csv:\"%s\",test=2", at("a,b.csv"));
    CHECK_EQUAL(open_status(spec), HK_BAD_ARGUMENT);
    remove_all();
}

/* ---- Arrays ---------------------------------------------------------------------------------- */

/* EMNIST's names and classes from 1; floats of 8 bytes, big-endian, in 4 dimensions. */
static void idx_of_any_type_and_name_is_read(void)
{
    uint8_t numbers[4 + 16 + 2 * 2 * 2 * 8] = {0, 0, 14, 4, [7] = 2, [11] = 2, [15] = 2, [19] = 1};
    const uint8_t named[] = {0, 0, 8, 1, 0, 0, 0, 2, 26, 1};
    hk_data *train = NULL, *test = NULL;
    numbers[20] = 0x3f, numbers[21] = 0xf8; /* 1.5 */
    put("emnist-letters-train-images-idx4-double", numbers, sizeof numbers);
    put("emnist-letters-train-labels-idx1-ubyte", named, sizeof named);
    put_gzip("emnist-letters-test-images-idx4-double.gz", numbers, sizeof numbers);
    put("emnist-letters-test-labels-idx1-ubyte", named, sizeof named);
    CHECK_EQUAL(hk_data_open(spec_of("idx", ""), &train, &test), HK_OK);
    if (train && test) {
        CHECK(train->shape.height == 2 && train->shape.channels == 1 && train->shape.classes == 2);
        CHECK(train->floats[0] == 1.5f && train->floats[1] == 0);
        CHECK_TEXT(hk_data_class_name(train, train->labels[0]), "26");
    }
    hk_data_free(train);
    hk_data_free(test);
    put("emnist-digits-train-images-idx4-double", numbers, sizeof numbers);
    check_refused(spec_of("idx", ""), "holds several sets", "emnist-digits-train");
    numbers[2] = 15;
    put("emnist-letters-train-images-idx4-double", numbers, sizeof numbers);
    unlink(at("emnist-digits-train-images-idx4-double"));
    check_refused(spec_of("idx", ""), "begins with 0x00000f04", "a type of 8");
    remove_all();
}

static void cifar_100_is_read(void)
{
    static uint8_t record[2 * (2 + 3072)];
    hk_data *train = NULL, *test = NULL;
    char spec[512];
    record[0] = 19, record[1] = 99, record[3074] = 3, record[3075] = 5, record[2 + 1024] = 77;
    put_gzip("train.bin.gz", record, sizeof record);
    put("test.bin", record, sizeof record);
    CHECK_EQUAL(hk_data_open(spec_of("cifar-100", ""), &train, &test), HK_OK);
    if (train && test)
        CHECK(train->shape.classes == 100 && train->labels[0] == 99 && train->labels[1] == 5 &&
              train->bytes[1] == 77);
    hk_data_free(train);
    hk_data_free(test);
    snprintf(spec, sizeof spec, "%s,labels=coarse", spec_of("cifar-100", ""));
    CHECK_EQUAL(hk_data_open(spec, &train, NULL), HK_OK);
    CHECK(train && train->shape.classes == 20 && train->labels[0] == 19);
    hk_data_free(train);
    record[1] = 100;
    put("test.bin", record, sizeof record);
    check_refused(spec_of("cifar-100", ""), "label 100 of record 0", "0..99");
    remove_all();
}

/* A zip archive of stored members, written as numpy.savez does. */
static size_t add_member(uint8_t *zip, size_t used, uint8_t *directory, size_t *directory_size,
                         int *members, const char *name, const char *header, const void *numbers,
                         size_t size)
{
    uint8_t npy[512] = "\x93NUMPY\1";
    const size_t length = strlen(header), whole = 10 + length + size;
    npy[8] = (uint8_t)length;
    memcpy(npy + 10, header, length);
    memcpy(npy + 10 + length, numbers, size);
    uint32_t crc = (uint32_t)crc32(0, npy, (uInt)whole), n = (uint32_t)whole,
             begin = (uint32_t)used;
    uint16_t name_length = (uint16_t)strlen(name);
    uint8_t *local = zip + used, *entry = directory + *directory_size;
    memcpy(local, "PK\3\4", 4);
    memcpy(local + 14, &crc, 4), memcpy(local + 18, &n, 4), memcpy(local + 22, &n, 4),
        memcpy(local + 26, &name_length, 2);
    memcpy(local + 30, name, name_length);
    memcpy(local + 30 + name_length, npy, whole);
    memcpy(entry, "PK\1\2", 4);
    memcpy(entry + 16, &crc, 4), memcpy(entry + 20, &n, 4), memcpy(entry + 24, &n, 4);
    memcpy(entry + 28, &name_length, 2), memcpy(entry + 42, &begin, 4);
    memcpy(entry + 46, name, name_length);
    *directory_size += 46u + name_length;
    ++*members;
    return used + 30 + name_length + whole;
}

static size_t make_npz(uint8_t *zip, const char *x_header, const void *x, size_t x_size,
                       const char *y_header, const void *y, size_t y_size)
{
    uint8_t directory[512] = {0};
    size_t length = 0, used = 0;
    int members = 0;
    memset(zip, 0, 4096);
    used = add_member(zip, used, directory, &length, &members, "x_train.npy", x_header, x, x_size);
    used = add_member(zip, used, directory, &length, &members, "y_train.npy", y_header, y, y_size);
    used = add_member(zip, used, directory, &length, &members, "x_test.npy", x_header, x, x_size);
    used = add_member(zip, used, directory, &length, &members, "y_test.npy", y_header, y, y_size);
    memcpy(zip + used, directory, length);
    uint8_t *end = zip + used + length;
    uint32_t begin = (uint32_t)used;
    memcpy(end, "PK\5\6", 4);
    end[10] = (uint8_t)members;
    memcpy(end + 16, &begin, 4);
    return used + length + 22;
}

#define NPY(descr, shape) "{'descr': '" descr "', 'fortran_order': False, 'shape': " shape ", }\n"

static void npz_is_read(void)
{
    static uint8_t zip[4096];
    const uint8_t pixels[2 * 2 * 2] = {1, 2, 3, 4, 5, 6, 7, 255};
    const int64_t named[2] = {30, 0};
    const float columns[2 * 3] = {.5f, -1, 2, 3, 4, 5};
    hk_data *train = NULL, *test = NULL;
    put("a.npz", zip,
        make_npz(zip, NPY("|u1", "(2, 2, 2)"), pixels, sizeof pixels, NPY("<i8", "(2,)"), named,
                 sizeof named));
    CHECK_EQUAL(hk_data_open(spec_of("npz", "a.npz"), &train, &test), HK_OK);
    if (train && test) {
        CHECK(train->bytes && train->bytes[7] == 255 && train->shape.height == 2 &&
              train->labels[0] == 1);
        CHECK_TEXT(hk_data_class_name(test, test->labels[0]), "30");
    }
    hk_data_free(train);
    hk_data_free(test);
    put("a.npz", zip,
        make_npz(zip, NPY("<f4", "(2, 3)"), columns, sizeof columns, NPY("<i8", "(2, 1)"), named,
                 sizeof named));
    CHECK_EQUAL(hk_data_open(spec_of("npz", "a.npz"), &train, NULL), HK_OK);
    CHECK(train && train->floats && train->floats[1] == -1 && train->shape.channels == 3);
    hk_data_free(train);
    remove_all();
}

static void npz_faults_are_told(void)
{
    static uint8_t zip[4096];
    const uint8_t pixels[8] = {1, 2, 3, 4, 5, 6, 7, 8};
    const int64_t named[2] = {3, 0};
    const struct {
        const char *x, *y, *word;
    } cases[] = {
        {NPY("<c8", "(1,)"), NPY("<i8", "(2,)"), "numbers of type \"<c8"},
        {NPY("|u1", "(2, 2, 3)"), NPY("<i8", "(2,)"), "8 bytes after the header, expected 12"},
        {NPY("|u1", "(8,)"), NPY("<i8", "(2,)"), "images of 1 dimensions"},
        {NPY("|u1", "(4, 2)"), NPY("<i8", "(2,)"),
         "2 labels in 1 dimensions, expected one for each of 4"},
        {"{'descr': '|u1', 'fortran_order': True, 'shape': (2, 4), }\n", NPY("<i8", "(2,)"),
         "column by column"},
        {NPY("|u1", "(2, 4)"), NPY("<f8", "(2,)"), "expected whole numbers"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        put("a.npz", zip,
            make_npz(zip, cases[i].x, pixels, sizeof pixels, cases[i].y, named, sizeof named));
        check_refused(spec_of("npz", "a.npz"), cases[i].word, "a.npz");
    }
    size_t size = make_npz(zip, NPY("|u1", "(2, 4)"), pixels, sizeof pixels, NPY("<i8", "(2,)"),
                           named, sizeof named);
    for (size_t cut = 1; cut < size; cut++) {
        put("a.npz", zip, size - cut);
        CHECK_EQUAL(open_status(spec_of("npz", "a.npz")), HK_BAD_DATA);
    }
    put("a.npz", zip, size);
    zip[100] ^= 1;
    put("a.npz", zip, size);
    check_refused(spec_of("npz", "a.npz"), "x_train is damaged", "a.npz");
    remove_all();
}

/* ---- Pictures -------------------------------------------------------------------------------- */

static void put_chunk(uint8_t *png, size_t *used, const char *kind, const void *bytes, size_t size)
{
    const uint32_t big = __builtin_bswap32((uint32_t)size);
    memcpy(png + *used, &big, 4), memcpy(png + *used + 4, kind, 4),
        memcpy(png + *used + 8, bytes, size);
    const uint32_t crc = __builtin_bswap32((uint32_t)crc32(0, png + *used + 4, (uInt)size + 4));
    memcpy(png + *used + 8 + size, &crc, 4);
    *used += 12 + size;
}

/* A PNG of one colour in a folder below the test's. */
static void put_png(const char *name, int height, int width, bool colour, uint8_t value)
{
    static uint8_t rows[64 * (1 + 3 * 64)], packed[sizeof rows + 64], png[sizeof packed + 128];
    const size_t row = 1 + (size_t)width * (colour ? 3 : 1);
    uint8_t head[13] = {[3] = (uint8_t)width, [7] = (uint8_t)height, [8] = 8, [9] = colour ? 2 : 0};
    memset(rows, value, sizeof rows);
    for (int y = 0; y < height; y++)
        rows[(size_t)y * row] = 0;
    uLongf length = sizeof packed;
    compress(packed, &length, rows, (uLong)(row * (size_t)height));
    size_t used = 8;
    memcpy(png, "\x89PNG\r\n\x1a\n", 8);
    put_chunk(png, &used, "IHDR", head, sizeof head);
    put_chunk(png, &used, "IDAT", packed, length);
    put_chunk(png, &used, "IEND", "", 0);
    put(name, png, used);
}

static bool reads_pictures(void)
{
    hki_picture picture;
    put_png("probe.png", 1, 1, false, 0);
    hk_status status = hki_picture_read(at("probe.png"), &picture);
    hki_free(picture.pixels);
    unlink(at("probe.png"));
    return status == HK_OK;
}

static void make_folders(void)
{
    mkdir(at("cat"), 0777);
    mkdir(at("dog"), 0777);
}

static void remove_folders(void)
{
    remove_all();
    rmdir(at("cat"));
    rmdir(at("dog"));
}

static void folders_of_pictures_are_read(void)
{
    hk_data *train = NULL, *test = NULL;
    char spec[512];
    if (!reads_pictures())
        SKIP("this build reads no PNG");
    make_folders();
    for (int i = 0; i < 10; i++) {
        char name[32];
        snprintf(name, sizeof name, "cat/%d.png", i);
        put_png(name, 4, 6, false, (uint8_t)(10 + i));
        snprintf(name, sizeof name, "dog/%d.PNG", i);
        put_png(name, 4, 6, false, (uint8_t)(110 + i));
    }
    put_text("cat/notes.txt", "not a picture");
    CHECK_EQUAL(hk_data_open(spec_of("images", ""), &train, &test), HK_OK);
    if (train && test) {
        CHECK(train->shape.n == 16 && test->shape.n == 4 && train->shape.height == 4 &&
              train->shape.width == 6);
        CHECK(train->shape.channels == 1 && train->shape.classes == 2);
        CHECK_TEXT(hk_data_class_name(train, 1), "dog");
        for (int i = 0; i < 16; i++)
            CHECK((train->bytes[i * 24 + 23] >= 110) == train->labels[i]);
    }
    hk_data_free(train);
    hk_data_free(test);
    put_png("dog/wide.png", 8, 20, true, 200);
    check_refused(spec_of("images", ""), "8 x 20 pixels, the pictures before it have 4 x 6",
                  "size=N");
    snprintf(spec, sizeof spec, "%s,size=5", spec_of("images", ""));
    CHECK_EQUAL(hk_data_open(spec, &train, NULL), HK_OK);
    CHECK(train && train->shape.height == 5 && train->shape.channels == 3);
    hk_data_free(train);
    remove_folders();
}

static void faults_of_pictures_are_told(void)
{
    static uint8_t bytes[4096];
    hki_picture picture;
    if (!reads_pictures())
        SKIP("this build reads no PNG");
    check_refused(spec_of("images", ""), "has no folders", folder);
    make_folders();
    check_refused(spec_of("images", ""), "no pictures", "CLASS/NAME.png");
    put_text("cat/a.png", "<html></html>");
    check_refused(spec_of("images", ""), "an HTML page", "cat/a.png");
    put_png("cat/a.png", 9, 7, true, 3);
    FILE *file = fopen(at("cat/a.png"), "rb");
    size_t size = file ? fread(bytes, 1, sizeof bytes, file) : 0;
    if (file)
        fclose(file);
    for (size_t length = 0; length + 12 < size; length++)
        CHECK_EQUAL(hki_picture_parse("a.png", bytes, length, true, &picture), HK_BAD_DATA);
    static const char *const jpegs[] = {"colour.jpg", "grey.jpg"};
    for (int i = 0; i < 2; i++) {
        char path[512];
        snprintf(path, sizeof path, "%s/pictures/%s", HILLOCK_TESTS_DIR, jpegs[i]);
        hk_status status = hki_picture_read(path, &picture);
        CHECK(status == HK_OK || strstr(hk_message(), "built without"));
        if (status == HK_OK) {
            CHECK(picture.height == 8 && picture.width == 12 && picture.channels == (i ? 1 : 3));
            CHECK_NEAR(picture.pixels[(i ? 1 : 3) * 10], 200, 12);
        }
        hki_free(picture.pixels);
    }
    remove_folders();
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

/* ---- Memory ---------------------------------------------------------------------------------- */

static long refuse_after;

static void *refusing_allocate(void *user, size_t bytes)
{
    (void)user;
    return refuse_after-- > 0 ? aligned_alloc(64, (bytes + 63) / 64 * 64) : NULL;
}

static void refusing_release(void *user, void *block)
{
    (void)user;
    free(block);
}

/* Runs `act` with the first k allocations granted, for k = 0, 1, ..., until it succeeds. */
static void check_allocations(hk_status (*act)(const void *), const void *what, long at_least)
{
    const hk_allocator refusing = {refusing_allocate, refusing_release, NULL};
    size_t before = hki_live_blocks();
    hk_set_allocator(&refusing);
    for (long k = 0;; k++) {
        refuse_after = k;
        hk_status status = act(what);
        CHECK_EQUAL(hki_live_blocks(), before);
        if (status == HK_OK || k > 200) {
            CHECK(k >= at_least && k <= 200);
            break;
        }
        CHECK_EQUAL(status, HK_NO_MEMORY);
        CHECK_CONTAINS(hk_message(), "memory");
    }
    hk_set_allocator(NULL);
}

static hk_status act_open(const void *spec)
{
    return open_status(spec);
}

static hk_status act_load(const void *user)
{
    hk_loader *loader;
    hk_loader_options options = {.batch = 4, .shuffle = 1, .augment = "crop=1,flip"};
    hk_status status = hk_loader_new(user, &options, &loader);
    hk_loader_free(loader);
    return status;
}

static hk_status act_copy(const void *user)
{
    hk_data *data;
    const float x[2] = {1, 2};
    const int32_t label[2] = {0, 1};
    (void)user;
    hk_status status = hk_data_from_arrays(2, 1, 1, 1, 2, x, label, &data);
    hk_data_free(data);
    return status;
}

static void refused_memory_is_survived(void)
{
    put_mnist();
    put_cifar();
    put_text("batches.meta.txt", "a\nb\nc\nd\ne\nf\ng\nh\ni\nj\n");
    put_table();
    put_text("names.csv", "1,a\n2,b\n3,a\n4,b\n5,a\n6,b\n");
    check_allocations(act_open, spec_of("mnist", ""), 20);
    check_allocations(act_open, spec_of("fashion-mnist", ""), 20);
    check_allocations(act_open, spec_of("cifar-10", ""), 20);
    check_allocations(act_open, spec_of("csv", "table.csv"), 15);
    check_allocations(act_open, spec_of("csv", "names.csv"), 16);
    check_allocations(act_open, "glyphs:train=10,test=10,seed=3", 15);
    check_allocations(act_copy, NULL, 7);
    hk_data *data;
    CHECK_EQUAL(hk_data_open("glyphs:train=10,test=1", &data, NULL), HK_OK);
    check_allocations(act_load, data, 7);
    hk_data_free(data);
    remove_all();
}

/* ---- Arrays and splits ----------------------------------------------------------------------- */

/* n images of 2 x 3 x 2: number j of image i is 100 i + j + 1. Label i % 3. */
static hk_data *make_data(int n)
{
    static float x[200 * 12];
    static int32_t label[200];
    for (int i = 0; i < n; i++) {
        label[i] = i % 3;
        for (int j = 0; j < 12; j++)
            x[i * 12 + j] = (float)(100 * i + j + 1);
    }
    hk_data *data;
    CHECK_EQUAL(hk_data_from_arrays(n, 2, 3, 2, 3, x, label, &data), HK_OK);
    return data;
}

static void arrays_are_copied_and_checked(void)
{
    hk_data *data = make_data(5);
    CHECK_TEXT(hk_data_spec(data), "arrays");
    CHECK_TEXT(hk_data_class_name(data, 2), "2");
    float x[12];
    int32_t label;
    hk_data_read(data, (const uint32_t[]){4}, 1, x, &label);
    CHECK(x[0] == 401 && x[11] == 412 && label == 1);
    hk_data_free(data);
    hk_data_free(NULL);
    const int32_t labels_of[2] = {0, 3};
    CHECK_EQUAL(hk_data_from_arrays(2, 1, 1, 1, 3, x, labels_of, &data), HK_BAD_ARGUMENT);
    CHECK_CONTAINS(hk_message(), "label 3 of image 1, expected 0..2");
    CHECK(data == NULL);
    CHECK_EQUAL(hk_data_from_arrays(0, 1, 1, 1, 3, x, labels_of, &data), HK_BAD_ARGUMENT);
    CHECK_EQUAL(hk_data_from_arrays(1, 1, 0, 1, 3, x, labels_of, &data), HK_BAD_ARGUMENT);
    CHECK_EQUAL(hk_data_from_arrays(1, 1, 1, 1, 0, x, labels_of, &data), HK_BAD_ARGUMENT);
    CHECK_EQUAL(hk_data_from_arrays(1, 1, 1, 1, 1, NULL, labels_of, &data), HK_BAD_ARGUMENT);
    CHECK_EQUAL(hk_data_from_arrays(HKI_MAX_DIM, 65536, 65536, 65536, 1, x, labels_of, &data),
                HK_NO_MEMORY);
}

static void a_split_moves_each_image_once(void)
{
    hk_data *data = make_data(100), *part;
    CHECK_EQUAL(hk_data_split(data, 0.25, 7, &part), HK_OK);
    CHECK(data->shape.n == 75 && part->shape.n == 25);
    int seen[100] = {0}, counts[3] = {0};
    for (int i = 0; i < 75; i++)
        seen[(int)data->floats[i * 12] / 100]++;
    for (int i = 0; i < 25; i++) {
        int image = (int)part->floats[i * 12] / 100;
        seen[image]++;
        CHECK_EQUAL(part->labels[i], image % 3);
        counts[part->labels[i]]++;
    }
    for (int i = 0; i < 100; i++)
        CHECK_EQUAL(seen[i], 1);
    CHECK(counts[0] >= 8 && counts[1] >= 8 && counts[2] >= 8); /* of 34, 33, 33 */
    CHECK_TEXT(hk_data_spec(part), "arrays");
    hk_data *same = make_data(100), *same_part;
    CHECK_EQUAL(hk_data_split(same, 0.25, 7, &same_part), HK_OK);
    CHECK(memcmp(part->floats, same_part->floats, 25 * 12 * sizeof(float)) == 0);
    hk_data_free(same);
    hk_data_free(same_part);
    CHECK_EQUAL(hk_data_split(part, 0.001, 7, &same), HK_BAD_ARGUMENT);
    CHECK_CONTAINS(hk_message(), "empty");
    CHECK_EQUAL(hk_data_split(part, 0.999, 7, &same), HK_BAD_ARGUMENT);
    CHECK_EQUAL(hk_data_split(part, 1, 7, &same), HK_BAD_ARGUMENT);
    CHECK_EQUAL(hk_data_split(part, (double)NAN, 7, &same), HK_BAD_ARGUMENT);
    CHECK_EQUAL(part->shape.n, 25);
    hk_data_free(data);
    hk_data_free(part);
}

/* ---- Loader ---------------------------------------------------------------------------------- */

static hk_loader *make_loader(const hk_data *data, int batch, int shuffle, const char *augment,
                              uint64_t seed)
{
    hk_loader_options options = {batch, shuffle, augment, seed};
    hk_loader *loader;
    CHECK_EQUAL(hk_loader_new(data, &options, &loader), HK_OK);
    return loader;
}

/* A whole epoch behind each other, x[n][12]; checks the sizes of the batches. */
static void read_epoch(hk_loader *loader, int64_t epoch, int n, int batch, float *x)
{
    hk_loader_start(loader, epoch);
    int done = 0;
    for (hk_batch b; (b = hk_loader_next(loader)).n > 0; done += (int)b.n) {
        CHECK_EQUAL(b.n, n - done < batch ? n - done : batch);
        memcpy(x + done * 12, b.x, (size_t)b.n * 12 * sizeof *x);
        for (int i = 0; i < b.n; i++) /* every number of an image tells the image; 0 was padded */
            for (int j = 0; j < 12; j++)
                CHECK(b.x[i * 12 + j] == 0 || (int)b.x[i * 12 + j] / 100 % 3 == b.labels[i]);
    }
    CHECK_EQUAL(done, n);
    CHECK_EQUAL(hk_loader_next(loader).n, 0);
}

static float epoch_a[200 * 12], epoch_b[200 * 12];

static void epochs_depend_on_seed_and_number(void)
{
    hk_data *data = make_data(100);
    hk_loader *loader = make_loader(data, 32, 1, NULL, 5);
    hk_loader *other = make_loader(data, 7, 1, NULL, 5);
    hk_loader *seed = make_loader(data, 32, 1, NULL, 6);
    CHECK_EQUAL(hk_loader_next(loader).n, 0); /* before any epoch */
    read_epoch(loader, 3, 100, 32, epoch_a);
    read_epoch(other, 3, 100, 7, epoch_b);
    CHECK(memcmp(epoch_a, epoch_b, 100 * 12 * sizeof(float)) == 0);
    int seen[100] = {0};
    for (int i = 0; i < 100; i++)
        seen[(int)epoch_a[i * 12] / 100]++;
    for (int i = 0; i < 100; i++)
        CHECK_EQUAL(seen[i], 1);
    read_epoch(loader, 4, 100, 32, epoch_b);
    CHECK(memcmp(epoch_a, epoch_b, 100 * 12 * sizeof(float)) != 0);
    read_epoch(loader, 3, 100, 32, epoch_b);
    CHECK(memcmp(epoch_a, epoch_b, 100 * 12 * sizeof(float)) == 0);
    read_epoch(seed, 3, 100, 32, epoch_b);
    CHECK(memcmp(epoch_a, epoch_b, 100 * 12 * sizeof(float)) != 0);
    hk_loader_free(loader);
    hk_loader_free(other);
    hk_loader_free(seed);
    hk_data_free(data);
}

static void without_shuffle_the_order_stays(void)
{
    hk_data *data = make_data(10);
    hk_loader *loader = make_loader(data, 1000000, 0, "none", 5);
    read_epoch(loader, 9, 10, 10, epoch_a);
    CHECK(memcmp(epoch_a, data->floats, 10 * 12 * sizeof(float)) == 0);
    hk_loader_free(loader);
    hk_data_free(data);
}

/* What crop by (down, right) and flip make of image i of make_data. */
static void expect_image(int image, int down, int right, int flip, float *x)
{
    for (int y = 0; y < 2; y++) {
        for (int column = 0; column < 3; column++) {
            int row = y + down, from = (flip ? 2 - column : column) + right;
            bool inside = row >= 0 && row < 2 && from >= 0 && from < 3;
            for (int c = 0; c < 2; c++)
                x[(y * 3 + column) * 2 + c] =
                    inside ? (float)(100 * image + (row * 3 + from) * 2 + c + 1) : 0;
        }
    }
}

/* The number of the augmentation 0..17 that made x of the image, or -1. */
static int find_augmentation(int image, const float *x)
{
    for (int k = 0; k < 18; k++) {
        float expected[12];
        expect_image(image, k / 6 - 1, k / 2 % 3 - 1, k % 2, expected);
        if (memcmp(expected, x, sizeof expected) == 0)
            return k;
    }
    return -1;
}

static int image_of(const float *x)
{
    float most = 0;
    for (int j = 0; j < 12; j++)
        most = x[j] > most ? x[j] : most;
    return (int)most / 100;
}

static void augmentation_is_crop_and_flip(void)
{
    hk_data *data = make_data(200);
    hk_loader *loader = make_loader(data, 16, 1, "crop=1,flip", 5);
    hk_loader *plain_order = make_loader(data, 30, 0, "crop=1,flip", 5);
    read_epoch(loader, 1, 200, 16, epoch_a);
    read_epoch(plain_order, 1, 200, 30, epoch_b);
    int counts[18] = {0};
    for (int i = 0; i < 200; i++) {
        int image = image_of(epoch_a + i * 12), found = find_augmentation(image, epoch_a + i * 12);
        CHECK(found >= 0);
        if (found >= 0)
            counts[found]++;
        /* The same image elsewhere in another order gets the same treatment. */
        CHECK(memcmp(epoch_a + i * 12, epoch_b + image * 12, 12 * sizeof(float)) == 0);
    }
    for (int k = 0; k < 18; k++)
        CHECK(counts[k] > 0);
    read_epoch(plain_order, 2, 200, 30, epoch_a);
    CHECK(memcmp(epoch_a, epoch_b, 200 * 12 * sizeof(float)) != 0);
    hk_loader_free(loader);
    hk_loader_free(plain_order);
    hk_data_free(data);
}

static void padding_is_the_standardised_zero(void)
{
    hk_data *data;
    CHECK_EQUAL(hk_data_open("glyphs:train=50,test=1,size=8,channels=2", &data, NULL), HK_OK);
    hk_loader *loader = make_loader(data, 50, 0, "crop=8", 1);
    hk_loader_start(loader, 1);
    hk_batch b = hk_loader_next(loader);
    int padded = 0;
    float zero[2] = {-data->mean[0] * data->inverse_sd[0], -data->mean[1] * data->inverse_sd[1]};
    for (int i = 0; i < 50; i++) /* a corner was cut from the padding in nearly all */
        padded += memcmp(b.x + i * 128, zero, sizeof zero) == 0 ||
                  memcmp(b.x + i * 128 + 126, zero, sizeof zero) == 0;
    CHECK(padded > 40);
    hk_loader_free(loader);
    hk_data_free(data);
}

static void a_loader_stops_anywhere(void)
{
    hk_data *data = make_data(100);
    size_t before = hki_live_blocks();
    for (int batches = 0; batches < 12; batches++) {
        hk_loader *loader = make_loader(data, 9, 1, "flip", 1);
        hk_loader_start(loader, 1);
        for (int i = 0; i < batches; i++)
            hk_loader_next(loader);
        hk_loader_start(loader, 2); /* in the middle of an epoch */
        CHECK_EQUAL(hk_loader_next(loader).n, 9);
        read_epoch(loader, 1, 100, 9, epoch_a);
        hk_loader_start(loader, 3);
        hk_loader_free(loader);
        CHECK_EQUAL(hki_live_blocks(), before);
    }
    hk_loader_free(NULL);
    hk_data_free(data);
}

static void an_epoch_allocates_nothing(void)
{
    hk_data *data = make_data(100);
    hk_loader *loader = make_loader(data, 9, 1, "crop=1,flip", 1);
    const hk_allocator refusing = {refusing_allocate, refusing_release, NULL};
    refuse_after = 0;
    hk_set_allocator(&refusing);
    read_epoch(loader, 1, 100, 9, epoch_a);
    read_epoch(loader, 2, 100, 9, epoch_a);
    hk_set_allocator(NULL);
    CHECK_EQUAL(refuse_after, 0);
    hk_loader_free(loader);
    hk_data_free(data);
}

static void check_options(const hk_data *data, hk_loader_options options, hk_status expected,
                          const char *word)
{
    hk_loader *loader;
    CHECK_EQUAL(hk_loader_new(data, &options, &loader), expected);
    CHECK(loader == NULL);
    CHECK_CONTAINS(hk_message(), word);
}

static void loader_options_are_checked(void)
{
    hk_data *data = make_data(4);
    check_options(data, (hk_loader_options){.batch = 0}, HK_BAD_ARGUMENT, "at least 1");
    check_options(NULL, (hk_loader_options){.batch = 1}, HK_BAD_ARGUMENT, "data is NULL");
    check_options(data, (hk_loader_options){.batch = 1, .augment = "rotate"}, HK_UNKNOWN_NAME,
                  "known: none, crop=N, flip");
    check_options(data, (hk_loader_options){.batch = 1, .augment = "flip,"}, HK_UNKNOWN_NAME,
                  "\"\"");
    check_options(data, (hk_loader_options){.batch = 1, .augment = "crop=3"}, HK_BAD_ARGUMENT,
                  "crop=3 on images of 2 x 3");
    check_options(data, (hk_loader_options){.batch = 1, .augment = "crop=0"}, HK_BAD_ARGUMENT,
                  "1..2");
    hk_data_free(data);
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
    const char *root = getenv("TMPDIR");
    snprintf(folder, sizeof folder, "%.40s/hillock-XXXXXX", root && *root ? root : P_tmpdir);
    if (!mkdtemp(folder)) {
        perror(folder);
        return 1;
    }
    RUN(idx_is_read);
    RUN(idx_names_with_a_point_are_found);
    RUN(idx_of_another_length_is_refused);
    RUN(idx_cut_gzip_is_refused);
    RUN(idx_of_other_content_is_refused);
    RUN(idx_headers_that_lie_are_refused);
    RUN(cifar_is_read);
    RUN(cifar_without_names_has_numbers);
    RUN(cifar_cut_is_refused);
    RUN(cifar_of_other_content_is_refused);
    RUN(csv_is_read);
    RUN(csv_labels_may_be_names);
    RUN(csv_faults_are_told);
    RUN(csv_of_other_programs_is_read);
    RUN(csv_labels_may_be_any_numbers);
    RUN(csv_of_pixels_are_images);
    RUN(csv_test_set_may_be_a_file);
    RUN(idx_of_any_type_and_name_is_read);
    RUN(cifar_100_is_read);
    RUN(npz_is_read);
    RUN(npz_faults_are_told);
    RUN(folders_of_pictures_are_read);
    RUN(faults_of_pictures_are_told);
    RUN(csv_is_split_by_class);
    RUN(specs_are_checked);
    RUN(refused_memory_is_survived);
    RUN(arrays_are_copied_and_checked);
    RUN(a_split_moves_each_image_once);
    RUN(epochs_depend_on_seed_and_number);
    RUN(without_shuffle_the_order_stays);
    RUN(augmentation_is_crop_and_flip);
    RUN(padding_is_the_standardised_zero);
    RUN(a_loader_stops_anywhere);
    RUN(an_epoch_allocates_nothing);
    RUN(loader_options_are_checked);
    RUN(real_mnist);
    RUN(real_fashion_mnist);
    RUN(real_cifar);
    rmdir(folder);
    return check_result();
}
