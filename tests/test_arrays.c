/* Numbers in files of any type and name: IDX, CIFAR-100, NumPy's npz. */
#include "data_files.h"

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

/* Two sets of int16, of which prefix= picks one, packed and filled up as a tape is. */
static void idx_of_a_prefix_is_read(void)
{
    const uint8_t numbers[] = {0, 0, 11, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 1, 1, 0, 0xff, 0xff};
    const uint8_t named[] = {0, 0, 8, 1, 0, 0, 0, 2, 46, 0};
    static uint8_t packed[256];
    hk_data *train = NULL;
    char spec[512];
    put_gzip("a-train-images-idx3-short.gz", numbers, sizeof numbers);
    FILE *file = fopen(at("a-train-images-idx3-short.gz"), "rb");
    const size_t size = file ? fread(packed, 1, 128, file) : 0;
    if (file)
        fclose(file);
    put("a-train-images-idx3-short.gz", packed, size + 64);
    put("a-train-labels-idx1-ubyte", named, sizeof named);
    put("b-train-images-idx3-ubyte", numbers, sizeof numbers);
    snprintf(spec, sizeof spec, "%s,prefix=a,test=0.5", spec_of("idx", ""));
    CHECK_EQUAL(hk_data_open(spec, &train, NULL), HK_OK);
    if (train)
        CHECK(train->floats[0] == (train->labels[0] ? 256 : -1));
    hk_data_free(train);
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
    entry[30] = 4, entry[32] = 3; /* an extra field and a comment, as other programs write them */
    *directory_size += 46u + name_length + 4 + 3;
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

/* Of a.npz, whose samples come in any order: each pair is one of the two. */
static void check_values(float a, float b, float c, float d)
{
    hk_data *train = NULL;
    CHECK_EQUAL(hk_data_open(spec_of("npz", "a.npz"), &train, NULL), HK_OK);
    CHECK(train && train->floats && !train->bytes);
    for (int64_t i = 0; train && train->floats && i < train->shape.n; i++) {
        const float *x = train->floats + 2 * i;
        CHECK((x[0] == a && x[1] == b) || (x[0] == c && x[1] == d));
    }
    hk_data_free(train);
}

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
    const uint16_t deep[2 * 2] = {0, 300, 65535, 7}; /* neither of the two fits a byte */
    put("a.npz", zip,
        make_npz(zip, NPY("<u2", "(2, 2)"), deep, sizeof deep, NPY("<i8", "(2,)"), named,
                 sizeof named));
    check_values(deep[0], deep[1], deep[2], deep[3]);
    const int8_t low[2 * 2] = {-128, -1, 0, 127};
    put("a.npz", zip,
        make_npz(zip, NPY("|i1", "(2, 2)"), low, sizeof low, NPY("<i8", "(2,)"), named,
                 sizeof named));
    check_values(low[0], low[1], low[2], low[3]);
    remove_all();
}

static void channels_first_are_turned(void)
{
    static uint8_t zip[4096];
    const uint8_t pixels[2 * 2 * 3] = {1, 2, 3, 4, 5, 6, 11, 12, 13, 14, 15, 16}; /* 2 of 2 x 3 */
    const int64_t named[1] = {7};
    static const uint8_t turned[] = {1, 11, 2, 12, 3, 13, 4, 14, 5, 15, 6, 16};
    hk_data *train = NULL;
    char spec[512];
    put("a.npz", zip,
        make_npz(zip, NPY("|u1", "(1, 2, 2, 3)"), pixels, sizeof pixels, NPY("<i8", "(1,)"), named,
                 sizeof named));
    snprintf(spec, sizeof spec, "%s,order=nchw", spec_of("npz", "a.npz"));
    CHECK_EQUAL(hk_data_open(spec, &train, NULL), HK_OK);
    CHECK(train && train->shape.height == 2 && train->shape.width == 3 &&
          train->shape.channels == 2);
    CHECK(train && train->bytes && !memcmp(train->bytes, turned, sizeof turned));
    hk_data_free(train);
    remove_all();
}

/* An array as NumPy saves it alone. */
static void put_npy(const char *name, const char *header, const void *values, size_t size)
{
    uint8_t npy[512] = "\x93NUMPY\1";
    const size_t length = strlen(header);
    npy[8] = (uint8_t)length;
    memcpy(npy + 10, header, length);
    memcpy(npy + 10 + length, values, size);
    put(name, npy, 10 + length + size);
}

static void folders_of_npy_are_read(void)
{
    const uint8_t pixels[2 * 2 * 2] = {1, 2, 3, 4, 5, 6, 7, 255};
    const int64_t named[2] = {30, 0};
    hk_data *train = NULL, *test = NULL;
    check_refused(spec_of("npz", ""), "has no images", "x_train");
    put_npy("x_train.npy", NPY("|u1", "(2, 2, 2)"), pixels, sizeof pixels);
    check_refused(spec_of("npz", ""), "has no labels", "y_train");
    put_npy("y_train.npy", NPY("<i8", "(2,)"), named, sizeof named);
    put_npy("X_test.npy", NPY("|u1", "(1, 2, 2)"), pixels + 4, 4);
    put_npy("y_test.npy", NPY("<i8", "(1,)"), named, 8);
    CHECK_EQUAL(hk_data_open(spec_of("npz", ""), &train, &test), HK_OK);
    CHECK(train && train->bytes && train->bytes[7] == 255 && train->labels[0] == 1);
    CHECK(test && test->bytes && test->bytes[0] == 5 && test->labels[0] == 1);
    hk_data_free(train);
    hk_data_free(test);
    check_refused(spec_of("npz", "x_train.npy"), "a NumPy array", "a folder of .npy files");
    put_npy("y_test.npy", NPY("<i8", "(2,)"), named, 8);
    check_refused(spec_of("npz", ""), "8 bytes after the header", "y_test.npy");
    put("y_test.npy", "PK\3\4", 4);
    check_refused(spec_of("npz", ""), "expected an array of NumPy", "y_test.npy");
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
        {NPY("|u1", "(2, 4)"), NPY("<i8", "(1, 2)"),
         "2 labels in 2 dimensions, expected one for each of 2"},
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
    zip[115] ^= 1; /* a pixel */
    put("a.npz", zip, size);
    check_refused(spec_of("npz", "a.npz"), "x_train is damaged", "a.npz");
    remove_all();
}

int main(void)
{
    make_folder();
    RUN(idx_of_any_type_and_name_is_read);
    RUN(idx_of_a_prefix_is_read);
    RUN(cifar_100_is_read);
    RUN(npz_is_read);
    RUN(channels_first_are_turned);
    RUN(folders_of_npy_are_read);
    RUN(npz_faults_are_told);
    rmdir(folder);
    return check_result();
}
