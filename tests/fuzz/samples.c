/* Samples to predict: a table, plain or gzip, or a picture. The first byte picks the net that they are for: of
 * two named columns, or of images of 4 x 3. */
#include "fuzz.h"

#include <hillock/data.h>
#include <math.h>

static void use(const hk_data *data, size_t length)
{
    float x[12];
    int32_t label;
    const hk_data_shape s = hk_data_shape_of(data);
    REQUIRE(s.n > 0 && s.classes == 2);
    for (uint32_t i = 0; i < s.n; i++) {
        REQUIRE(hk_data_read(data, &i, 1, x, &label) == HK_OK);
        REQUIRE(label >= -1 && label < 2 && hk_data_sample_name(data, i));
        for (size_t k = 0; k < length; k++)
            REQUIRE(!isnan(x[k]));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static int fd = -1;
    static const double mean[2] = {1, 2}, deviation[2] = {0.5, 2};
    static const char *const classes[2] = {"no", "yes"}, *const features[2] = {"a", "b"};
    hk_data *set;
    if (fd < 0)
        fd = memfd_create("samples", 0);
    if (size < 1)
        return 0;
    const int columns = data[0] & 1;
    const hk_card card = {.channels = columns ? 2 : 1,
                          .mean = mean,
                          .deviation = deviation,
                          .classes = 2,
                          .class_names = classes,
                          .feature_names = columns ? features : NULL,
                          .label = columns ? "answer" : NULL};
    const char *path = fuzz_file(fd, data + 1, size - 1);
    if (hk_data_samples(path, &card, columns ? 1 : 4, columns ? 1 : 3, card.channels, &set) ==
        HK_OK)
        use(set, columns ? 2 : 12);
    else
        REQUIRE(!set && *hk_message());
    hk_data_free(set);
    return 0;
}
