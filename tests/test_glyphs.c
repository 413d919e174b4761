/* The built-in data set: the same bytes everywhere, balanced, and neither trivial nor hopeless. */
#include "check.h"
#include "data/data.h"

#include <hillock/tensor.h>
#include <stdlib.h>

static void open_set(const char *spec, hk_data **train, hk_data **test)
{
    hk_status status = hk_data_open(spec, train, test);
    CHECK_EQUAL(status, HK_OK);
    if (status) { /* nothing here can go on without its data */
        printf("%s\n", hk_message());
        exit(1);
    }
}

static size_t bytes_of(const hk_data *data)
{
    hk_data_shape s = data->shape;
    return (size_t)s.n * (size_t)s.height * (size_t)s.width * (size_t)s.channels;
}

/* FNV-1a, 64 bits. */
static uint64_t hash_of(const hk_data *data)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < bytes_of(data); i++)
        hash = (hash ^ data->bytes[i]) * UINT64_C(0x100000001b3);
    return hash;
}

static void check_hash(const char *spec, uint64_t train_hash, uint64_t test_hash)
{
    hk_data *train, *test;
    open_set(spec, &train, &test);
    if (hash_of(train) != train_hash || hash_of(test) != test_hash)
        printf("  %s: 0x%016llx, 0x%016llx\n", spec, (unsigned long long)hash_of(train),
               (unsigned long long)hash_of(test));
    CHECK(hash_of(train) == train_hash);
    CHECK(hash_of(test) == test_hash);
    hk_data_free(train);
    hk_data_free(test);
}

static void bytes_are_the_known_ones(void)
{
    check_hash("glyphs:train=300,test=100", UINT64_C(0xbd35173b68bc2455),
               UINT64_C(0xa01543c1ace63def));
    check_hash("glyphs:train=60,test=20,size=32,channels=3,seed=9", UINT64_C(0x68ac9e98d167f235),
               UINT64_C(0xe002c1d028ffd761));
}

static void an_image_depends_on_seed_split_and_index(void)
{
    hk_data *few, *many, *test, *other;
    open_set("glyphs:train=20,test=20", &few, &test);
    open_set("glyphs:train=50,test=1", &many, NULL);
    open_set("glyphs:train=20,test=1,seed=2", &other, NULL);
    CHECK(memcmp(few->bytes, many->bytes, bytes_of(few)) == 0);
    CHECK(memcmp(few->bytes, test->bytes, bytes_of(few)) != 0);
    CHECK(memcmp(few->bytes, other->bytes, bytes_of(few)) != 0);
    CHECK_TEXT(hk_data_spec(other), "glyphs:train=20,test=1,seed=2");
    hk_data_free(few);
    hk_data_free(many);
    hk_data_free(test);
    hk_data_free(other);
}

static void threads_change_nothing(void)
{
    hk_data *one, *some;
    hk_set_threads(1);
    open_set("glyphs:train=500,test=1", &one, NULL);
    for (int threads = 2; threads <= 7; threads++) {
        hk_set_threads(threads);
        open_set("glyphs:train=500,test=1", &some, NULL);
        CHECK(memcmp(one->bytes, some->bytes, bytes_of(one)) == 0);
        hk_data_free(some);
    }
    hk_set_threads(0);
    hk_data_free(one);
}

static void defaults_are_as_documented(void)
{
    hk_data *train, *test;
    open_set("glyphs", &train, &test);
    hk_data_shape s = hk_data_shape_of(train);
    CHECK(s.n == 6000 && s.height == 28 && s.width == 28 && s.channels == 1 && s.classes == 10);
    CHECK_EQUAL(hk_data_shape_of(test).n, 1000);
    CHECK_TEXT(hk_data_spec(test), "glyphs");
    CHECK_TEXT(hk_data_class_name(test, 8), "8");
    int counts[10] = {0};
    for (int64_t i = 0; i < s.n; i++)
        counts[train->labels[i]]++;
    for (int c = 0; c < 10; c++)
        CHECK_EQUAL(counts[c], 600);
    hk_data_free(train);
    hk_data_free(test);
}

static void other_sizes_and_channels_are_drawn(void)
{
    hk_data *data;
    open_set("glyphs:train=20,test=1,size=64,channels=3", &data, NULL);
    hk_data_shape s = hk_data_shape_of(data);
    CHECK(s.height == 64 && s.width == 64 && s.channels == 3);
    for (int c = 0; c < 3; c++) { /* paper around 45, ink around 190 on a small part of it */
        CHECK(data->mean[c] > 45 && data->mean[c] < 110);
        CHECK(data->inverse_sd[c] > 1 / 90.f && data->inverse_sd[c] < 1 / 25.f);
    }
    hk_data_free(data);
}

/* Share of `test` nearest to the mean image of its class in `train`. */
static double nearest_mean_accuracy(const hk_data *train, const hk_data *test)
{
    enum { AREA = 28 * 28 };
    static double means[10][AREA];
    for (int64_t i = 0; i < train->shape.n; i++)
        for (int k = 0; k < AREA; k++)
            means[train->labels[i]][k] += (double)train->bytes[i * AREA + k] / 600;
    int64_t right = 0;
    for (int64_t i = 0; i < test->shape.n; i++) {
        int best = 0;
        double least = HUGE_VAL;
        for (int c = 0; c < 10; c++) {
            double distance = 0;
            for (int k = 0; k < AREA; k++) {
                double d = means[c][k] - (double)test->bytes[i * AREA + k];
                distance += d * d;
            }
            if (distance < least) {
                least = distance;
                best = c;
            }
        }
        right += best == test->labels[i];
    }
    return (double)right / (double)test->shape.n;
}

static void mean_images_tell_some_of_the_classes(void)
{
    hk_data *train, *test;
    open_set("glyphs", &train, &test);
    double accuracy = nearest_mean_accuracy(train, test);
    printf("  nearest mean image: %.1f %%\n", 100 * accuracy);
    CHECK(accuracy > 0.35 && accuracy < 0.80);
    hk_data_free(train);
    hk_data_free(test);
}

int main(void)
{
    RUN(bytes_are_the_known_ones);
    RUN(an_image_depends_on_seed_split_and_index);
    RUN(threads_change_nothing);
    RUN(defaults_are_as_documented);
    RUN(other_sizes_and_channels_are_drawn);
    RUN(mean_images_tell_some_of_the_classes);
    return check_result();
}
