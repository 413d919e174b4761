/* The contract of 1.0 as it is laid out: every struct's size, every field's place, every value of an
 * enumeration, on 64-bit machines. A failure here means that plugins built before no longer fit: only what
 * stands behind all of these may be added, and HK_ABI_MINOR changes with it. */
#include <hillock/model.h>
#include <stddef.h>
#include "check.h"

#define SIZE(type, bytes) CHECK_EQUAL(sizeof(type), bytes)
/* Where a field begins, and its bytes. */
#define PLACE(type, field, bytes, size)                                                            \
    do {                                                                                           \
        CHECK_EQUAL(offsetof(type, field), bytes);                                                 \
        CHECK_EQUAL(sizeof((type){0}.field), size);                                                \
    } while (0)

static void version(void)
{
    CHECK_EQUAL(HK_MAGIC, 0x504C4B48u);
    CHECK_EQUAL(HK_ABI_MAJOR, 1);
    CHECK_EQUAL(HK_ABI_MINOR, 0);
    CHECK_EQUAL(HK_ABI_USED, 0);
    CHECK_EQUAL(HK_MAX_PARAMS, 8);
    CHECK_EQUAL(HK_MAX_SLOTS, 16);
    CHECK_EQUAL(HK_MAX_FIXED, 1024);
    CHECK_EQUAL(HK_MAX_KEPT, 1024);
    CHECK_EQUAL(HK_ISA_ROOM, 8);
    CHECK((int)HK_ISA_COUNT <= (int)HK_ISA_ROOM);
}

/* A value is never given another meaning. */
static void values(void)
{
    CHECK(HK_REAL == 1 && HK_INTEGER == 2 && HK_CHOICE == 3);
    CHECK(HK_LOW_OPEN == 1 && HK_HIGH_OPEN == 2);
    CHECK(HK_LEARNED == 1 && HK_STATE == 2);
    CHECK(HK_PER_CHANNEL == 1 && HK_SHARED == 2 && HK_PER_ROW == 3 && HK_FIXED == 4);
    CHECK_EQUAL(HK_NO_DECAY, 1);
    CHECK(HK_READS_X == 1 && HK_READS_Y == 2);
    CHECK(HK_IN_PLACE == 4 && HK_STOCHASTIC == 8 && HK_ROWWISE == 16 && HK_SURROGATE == 32);
    CHECK(HK_OVER_BATCH == 1 && HK_OVER_SAMPLE == 2 && HK_OVER_ROW == 3 && HK_OVER_WEIGHT == 4);
    CHECK(HK_FILLS_RANGES == 1 && HK_FILLS_BIAS == 2);
    CHECK(HK_ACTIVATION == 1 && HK_NORMALIZATION == 2 && HK_INITIALIZER == 3 && HK_MODEL == 4);
    CHECK(HK_SAME == 0 && HK_VALID == 1 && HK_EXPLICIT == 2);
#ifdef __x86_64__
    CHECK(HK_BASELINE == 0 && HK_AVX2 == 1 && HK_AVX512 == 2);
#else
    CHECK_EQUAL(HK_BASELINE, 0);
#endif
}

static void param_layout(void)
{
    SIZE(hk_param, 72);
    PLACE(hk_param, name, 0, 8);
    PLACE(hk_param, doc, 8, 8);
    PLACE(hk_param, type, 16, 4);
    PLACE(hk_param, flags, 20, 4);
    PLACE(hk_param, value, 24, 8);
    PLACE(hk_param, low, 32, 8);
    PLACE(hk_param, high, 40, 8);
    PLACE(hk_param, choices, 48, 8);
    PLACE(hk_param, later, 56, 16);
}

static void slot_layout(void)
{
    SIZE(hk_slot, 72);
    PLACE(hk_slot, name, 0, 8);
    PLACE(hk_slot, doc, 8, 8);
    PLACE(hk_slot, role, 16, 4);
    PLACE(hk_slot, extent, 20, 4);
    PLACE(hk_slot, count, 24, 4);
    PLACE(hk_slot, flags, 28, 4);
    PLACE(hk_slot, value, 32, 8);
    PLACE(hk_slot, low, 40, 8);
    PLACE(hk_slot, high, 48, 8);
    PLACE(hk_slot, later, 56, 16);
}

static void context_layout(void)
{
    SIZE(hk_context, 56);
    PLACE(hk_context, rows, 0, 8);
    PLACE(hk_context, channels, 8, 8);
    PLACE(hk_context, rows_per_sample, 16, 8);
    PLACE(hk_context, training, 24, 4);
    PLACE(hk_context, surrogate, 28, 4);
    PLACE(hk_context, key, 32, 8);
    PLACE(hk_context, params, 40, 8);
    PLACE(hk_context, slots, 48, 8);
}

static void tile_layout(void)
{
    SIZE(hk_tile, 88);
    PLACE(hk_tile, rows, 0, 8);
    PLACE(hk_tile, first_row, 8, 8);
    PLACE(hk_tile, x, 16, 8);
    PLACE(hk_tile, dy, 24, 8);
    PLACE(hk_tile, y, 32, 8);
    PLACE(hk_tile, dx, 40, 8);
    PLACE(hk_tile, aux, 48, 8);
    PLACE(hk_tile, dslots, 56, 8);
    PLACE(hk_tile, sums, 64, 8);
    PLACE(hk_tile, coef, 72, 8);
    PLACE(hk_tile, bcoef, 80, 8);
}

static void scalar64_layout(void)
{
    SIZE(hk_scalar64, 56);
    PLACE(hk_scalar64, x, 0, 8);
    PLACE(hk_scalar64, y, 8, 8);
    PLACE(hk_scalar64, u, 16, 8);
    PLACE(hk_scalar64, p, 24, 8);
    PLACE(hk_scalar64, t, 32, 8);
    PLACE(hk_scalar64, channel, 40, 8);
    PLACE(hk_scalar64, training, 48, 4);
    PLACE(hk_scalar64, surrogate, 52, 4);
}

static void activity_layout(void)
{
    SIZE(hk_activity, 32);
    PLACE(hk_activity, rows, 0, 8);
    PLACE(hk_activity, sums, 8, 8);
    PLACE(hk_activity, layer_mean, 16, 8);
    PLACE(hk_activity, network_mean, 24, 8);
}

enum { KERNELS = 16 * HK_ISA_ROOM }; /* bytes of a table of them */

static void activation_layout(void)
{
    SIZE(hk_activation, 56 + KERNELS);
    PLACE(hk_activation, reads, 0, 4);
    PLACE(hk_activation, traits, 4, 4);
    PLACE(hk_activation, aux_floats, 8, 4);
    PLACE(hk_activation, n_sums, 12, 4);
    PLACE(hk_activation, kernels, 16, KERNELS);
    PLACE(hk_activation, channels_out, 16 + KERNELS, 8);
    PLACE(hk_activation, update, 24 + KERNELS, 8);
    PLACE(hk_activation, value, 32 + KERNELS, 8);
    PLACE(hk_activation, slope, 40 + KERNELS, 8);
    PLACE(hk_activation, gradient, 48 + KERNELS, 8);
}

static void moments_layout(void)
{
    SIZE(hk_moments, 24);
    PLACE(hk_moments, rows, 0, 8);
    PLACE(hk_moments, mean, 8, 8);
    PLACE(hk_moments, m2, 16, 8);
}

static void normalization_layout(void)
{
    SIZE(hk_normalization, 56 + KERNELS);
    PLACE(hk_normalization, domain, 0, 8);
    PLACE(hk_normalization, n_coef, 8, 4);
    PLACE(hk_normalization, coefficients, 16, 8);
    PLACE(hk_normalization, frozen, 24, 8);
    PLACE(hk_normalization, gradient, 32, 8);
    PLACE(hk_normalization, update, 40, 8);
    PLACE(hk_normalization, kernels, 48, KERNELS);
    PLACE(hk_normalization, aux_floats, 48 + KERNELS, 4);
}

static void weight_layout(void)
{
    SIZE(hk_weight, 96);
    PLACE(hk_weight, rows, 0, 8);
    PLACE(hk_weight, columns, 8, 8);
    PLACE(hk_weight, kernel, 16, 8);
    PLACE(hk_weight, fan_in, 24, 8);
    PLACE(hk_weight, fan_out, 32, 8);
    PLACE(hk_weight, first, 40, 8);
    PLACE(hk_weight, count, 48, 8);
    PLACE(hk_weight, gain, 56, 8);
    PLACE(hk_weight, first_layer, 64, 4);
    PLACE(hk_weight, key, 72, 8);
    PLACE(hk_weight, w, 80, 8);
    PLACE(hk_weight, bias, 88, 8);
}

static void initializer_layout(void)
{
    SIZE(hk_initializer, 16);
    PLACE(hk_initializer, traits, 0, 4);
    PLACE(hk_initializer, fill, 8, 8);
}

static void plugin_layout(void)
{
    SIZE(hk_plugin, 112);
    PLACE(hk_plugin, kind, 0, 4);
    PLACE(hk_plugin, size, 4, 4);
    PLACE(hk_plugin, name, 8, 8);
    PLACE(hk_plugin, aliases, 16, 8);
    PLACE(hk_plugin, summary, 24, 8);
    PLACE(hk_plugin, formula, 32, 8);
    PLACE(hk_plugin, source, 40, 8);
    PLACE(hk_plugin, tags, 48, 8);
    PLACE(hk_plugin, params, 56, 8);
    PLACE(hk_plugin, slots, 64, 8);
    PLACE(hk_plugin, start, 72, 8);
    PLACE(hk_plugin, activation, 80, 8);
    PLACE(hk_plugin, normalization, 88, 8);
    PLACE(hk_plugin, initializer, 96, 8);
    PLACE(hk_plugin, model, 104, 8);
}

static void model_layout(void)
{
    SIZE(hk_recipe, 72);
    PLACE(hk_recipe, data, 0, 8);
    PLACE(hk_recipe, most, 8, 8);
    PLACE(hk_recipe, optimizer, 16, 8);
    PLACE(hk_recipe, schedule, 24, 8);
    PLACE(hk_recipe, augment, 32, 8);
    PLACE(hk_recipe, epochs, 40, 4);
    PLACE(hk_recipe, batch, 44, 4);
    PLACE(hk_recipe, least_steps, 48, 4);
    PLACE(hk_recipe, is_adapted, 52, 4);
    PLACE(hk_recipe, later, 56, 16);
    SIZE(hk_model, 40);
    PLACE(hk_model, build, 0, 8);
    PLACE(hk_model, height, 8, 4);
    PLACE(hk_model, width, 12, 4);
    PLACE(hk_model, channels, 16, 4);
    PLACE(hk_model, smallest, 20, 4);
    PLACE(hk_model, parameters, 24, 8);
    PLACE(hk_model, recipes, 32, 8);
}

/* What models hand to the layer functions by value. */
static void layer_layout(void)
{
    SIZE(hk_conv_options, 80);
    PLACE(hk_conv_options, init, 40, 8);
    PLACE(hk_conv_options, name, 64, 8);
    SIZE(hk_linear_options, 56);
    PLACE(hk_linear_options, name, 40, 8);
    SIZE(hk_act_options, 24);
    SIZE(hk_norm_options, 24);
    SIZE(hk_pool_options, 32);
    SIZE(hk_window, 20);
    SIZE(hk_shape, 72);
}

static void bundle_layout(void)
{
    SIZE(hk_bundle, 32);
    PLACE(hk_bundle, magic, 0, 4);
    PLACE(hk_bundle, major, 4, 2);
    PLACE(hk_bundle, minor, 6, 2);
    PLACE(hk_bundle, size, 8, 4);
    PLACE(hk_bundle, count, 12, 4);
    PLACE(hk_bundle, plugins, 16, 8);
    PLACE(hk_bundle, needs, 24, 8);
}

int main(void)
{
    RUN(version);
    RUN(values);
    RUN(param_layout);
    RUN(slot_layout);
    RUN(context_layout);
    RUN(tile_layout);
    RUN(scalar64_layout);
    RUN(activity_layout);
    RUN(activation_layout);
    RUN(moments_layout);
    RUN(normalization_layout);
    RUN(weight_layout);
    RUN(initializer_layout);
    RUN(plugin_layout);
    RUN(model_layout);
    RUN(layer_layout);
    RUN(bundle_layout);
    return check_result();
}
