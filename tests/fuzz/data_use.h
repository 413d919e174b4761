/* fuzz/data_use.h - a data set that was accepted, used: every number of it can be trained on. What
 * is far beyond all of the training set may be infinite in the test set. */
#pragma once
#include "fuzz.h"

#include <hillock/data.h>
#include <math.h>

static inline void use_data(const hk_data *data, bool is_test)
{
    const hk_data_shape s = hk_data_shape_of(data);
    const size_t length = (size_t)s.height * (size_t)s.width * (size_t)s.channels;
    float *x = malloc(length * sizeof *x);
    int32_t label;
    REQUIRE(x && s.n > 0 && s.classes > 0);
    for (uint32_t i = 0; i < s.n; i++) {
        hk_data_read(data, &i, 1, x, &label);
        REQUIRE(label >= 0 && label < s.classes && *hk_data_class_name(data, label));
        for (size_t k = 0; k < length; k++)
            REQUIRE(isfinite(x[k]) || (is_test && !isnan(x[k])));
    }
    free(x);
}

static inline void open_and_use(const char *spec)
{
    hk_data *train, *test;
    if (hk_data_open(spec, &train, &test) != HK_OK) {
        REQUIRE(!train && !test);
        return;
    }
    use_data(train, false);
    use_data(test, true);
    hk_data_free(train);
    hk_data_free(test);
}
