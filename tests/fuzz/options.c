/* The small texts of a training; the first byte says which. What they give is a number. */
#include "fuzz.h"

#include <hillock/hillock.h>
#include <math.h>
#include "doctor/treat.h"

static void schedule(const char *text)
{
    hki_schedule it;
    if (hki_schedule_parse(text, &it) == HK_OK)
        for (int64_t step = 0; step < 12; step++)
            REQUIRE(hki_schedule_rate(&it, step, 3, 12) >= 0);
}

static void optimizer(const char *text)
{
    float w[2] = {1, -1}, g[2] = {0.5f, 0}, m[2] = {0}, v[2] = {0};
    hki_rule rule;
    if (hki_rule_parse(text, &rule) != HK_OK)
        return;
    hki_update numbers = hki_rule_prepare(&rule, 1, 1, true, 1);
    hki_rule_update(&rule, &numbers, 2, w, g, m, v);
    REQUIRE(!isnan(w[1]) || rule.lr > 1e30 || rule.decay > 1e30);
}

static void treatments(const char *text)
{
    hki_treatments it;
    if (hki_treatments_parse(text, &it) == HK_OK)
        REQUIRE(it.n >= 1 && it.n <= HKI_MAX_METHODS && it.every >= 0);
}

static void augment(const char *text)
{
    static const float x[2 * 3 * 2] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
    hk_data *data;
    hk_loader *loader;
    REQUIRE(hk_data_from_arrays(1, 2, 3, 2, 1, x, (int32_t[]){0}, &data) == HK_OK);
    const hk_loader_options options = {.batch = 1, .augment = text};
    if (hk_loader_new(data, &options, &loader) == HK_OK) {
        hk_loader_start(loader, 0);
        REQUIRE(hk_loader_next(loader).n == 1 && hk_loader_next(loader).n == 0);
        hk_loader_free(loader);
    }
    hk_data_free(data);
}

static void model(const char *text)
{
    const hk_plugin *it, *again;
    char spec[HK_MAX_SPEC], same[HK_MAX_SPEC];
    if (hk_model_find(text, &it, spec) == HK_OK)
        REQUIRE(hk_model_find(spec, &again, same) == HK_OK && again == it &&
                strcmp(spec, same) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static fuzz_use *const texts[] = {schedule, optimizer, treatments, augment, model};
    fuzz_one_of(texts, sizeof texts / sizeof *texts, data, size);
    return 0;
}
