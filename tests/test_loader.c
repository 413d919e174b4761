/* Arrays as data sets, splits, and the batches of an epoch. */
#include "data_files.h"

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
    const float holes[] = {1, 2, 3, NAN};
    CHECK_EQUAL(hk_data_from_arrays(2, 1, 1, 2, 3, holes, (int32_t[]){0, 1}, &data),
                HK_BAD_ARGUMENT);
    CHECK_CONTAINS(hk_message(), "nan at 1 of image 1");
    CHECK_EQUAL(hk_data_from_arrays(0, 1, 1, 1, 3, x, labels_of, &data), HK_BAD_ARGUMENT);
    CHECK_EQUAL(hk_data_from_arrays(1, 1, 0, 1, 3, x, labels_of, &data), HK_BAD_ARGUMENT);
    for (int side = 0; side < 3; side++) { /* each alone is too large */
        const int size[3] = {side == 0 ? 65537 : 1, side == 1 ? 65537 : 1, side == 2 ? 65537 : 1};
        CHECK_EQUAL(hk_data_from_arrays(1, size[0], size[1], size[2], 1, x, labels_of, &data),
                    HK_BAD_ARGUMENT);
    }
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
    hk_loader_options options = {
        .batch = batch, .shuffle = shuffle, .augment = augment, .seed = seed};
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
    const long enough = 1000;
    allocations_left = enough;
    hk_set_allocator(&countdown);
    read_epoch(loader, 1, 100, 9, epoch_a);
    read_epoch(loader, 2, 100, 9, epoch_a);
    hk_set_allocator(NULL);
    CHECK_EQUAL(allocations_left, enough);
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

/* ---- Memory ---------------------------------------------------------------------------------- */

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
    hk_data *data;
    check_allocations(act_copy, NULL, 7);
    CHECK_EQUAL(hk_data_open("glyphs:train=10,test=1", &data, NULL), HK_OK);
    check_allocations(act_load, data, 7);
    hk_data_free(data);
}

int main(void)
{
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
    return check_result();
}
