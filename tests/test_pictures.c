/* Folders of pictures, one folder a class. */
#include "data_files.h"
#include "data/picture.h"

#include <sys/stat.h>

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

/* To be predicted: each file of a folder, at the size that the net takes. */
static void pictures_of_a_folder_are_samples(void)
{
    static const double mean[3] = {0}, deviation[3] = {1, 1, 1};
    const hk_card card = {.channels = 3, .mean = mean, .deviation = deviation, .classes = 2};
    hk_data *data = NULL;
    if (!reads_pictures())
        SKIP("this build reads no PNG");
    make_folders();
    put_png("cat/a.png", 4, 6, false, 10);
    put_png("cat/b.png", 8, 12, true, 20);
    put_png("cat/c.png", 4, 6, false, 30);
    CHECK_EQUAL(hk_data_samples(at("cat"), &card, 4, 6, 3, &data), HK_OK);
    if (data) {
        CHECK_EQUAL(data->shape.n, 3);
        CHECK_TEXT(hk_data_sample_name(data, 1), "b.png");
        for (int i = 0; i < 3; i++)
            CHECK_EQUAL(data->bytes[i * 4 * 6 * 3], 10 * (i + 1));
    }
    hk_data_free(data);
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

int main(void)
{
    make_folder();
    RUN(folders_of_pictures_are_read);
    RUN(pictures_of_a_folder_are_samples);
    RUN(faults_of_pictures_are_told);
    rmdir(folder);
    return check_result();
}
