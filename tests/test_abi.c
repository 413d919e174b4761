/* The plugin ABI as it is laid out: every struct's size, every field's place, on 64-bit machines. A
 * failure here means that plugins built before no longer fit: HK_ABI_MINOR must change with it. */
#include <hillock/model.h>
#include <stddef.h>
#include "check.h"

#define SIZE(type, bytes) CHECK_EQUAL(sizeof(type), bytes)
#define PLACE(type, field, bytes) CHECK_EQUAL(offsetof(type, field), bytes)

static void version(void)
{
    CHECK_EQUAL(HK_MAGIC, 0x504C4B48u);
    CHECK_EQUAL(HK_ABI_MAJOR, 0);
    CHECK_EQUAL(HK_ABI_MINOR, 5);
    CHECK_EQUAL(HK_MAX_PARAMS, 8);
    CHECK_EQUAL(HK_MAX_SLOTS, 16);
}

static void param_layout(void)
{
    SIZE(hk_param, 56);
    PLACE(hk_param, name, 0);
    PLACE(hk_param, doc, 8);
    PLACE(hk_param, type, 16);
    PLACE(hk_param, flags, 20);
    PLACE(hk_param, value, 24);
    PLACE(hk_param, low, 32);
    PLACE(hk_param, high, 40);
    PLACE(hk_param, choices, 48);
}

static void slot_layout(void)
{
    SIZE(hk_slot, 56);
    PLACE(hk_slot, name, 0);
    PLACE(hk_slot, doc, 8);
    PLACE(hk_slot, role, 16);
    PLACE(hk_slot, extent, 20);
    PLACE(hk_slot, count, 24);
    PLACE(hk_slot, flags, 28);
    PLACE(hk_slot, value, 32);
    PLACE(hk_slot, low, 40);
    PLACE(hk_slot, high, 48);
}

static void context_layout(void)
{
    SIZE(hk_context, 56);
    PLACE(hk_context, rows, 0);
    PLACE(hk_context, channels, 8);
    PLACE(hk_context, rows_per_sample, 16);
    PLACE(hk_context, training, 24);
    PLACE(hk_context, surrogate, 28);
    PLACE(hk_context, key, 32);
    PLACE(hk_context, params, 40);
    PLACE(hk_context, slots, 48);
}

static void tile_layout(void)
{
    SIZE(hk_tile, 88);
    PLACE(hk_tile, rows, 0);
    PLACE(hk_tile, first_row, 8);
    PLACE(hk_tile, x, 16);
    PLACE(hk_tile, dy, 24);
    PLACE(hk_tile, y, 32);
    PLACE(hk_tile, dx, 40);
    PLACE(hk_tile, aux, 48);
    PLACE(hk_tile, dslots, 56);
    PLACE(hk_tile, sums, 64);
    PLACE(hk_tile, coef, 72);
    PLACE(hk_tile, bcoef, 80);
}

static void scalar64_layout(void)
{
    SIZE(hk_scalar64, 56);
    PLACE(hk_scalar64, x, 0);
    PLACE(hk_scalar64, y, 8);
    PLACE(hk_scalar64, u, 16);
    PLACE(hk_scalar64, p, 24);
    PLACE(hk_scalar64, t, 32);
    PLACE(hk_scalar64, channel, 40);
    PLACE(hk_scalar64, training, 48);
    PLACE(hk_scalar64, surrogate, 52);
}

static void activity_layout(void)
{
    SIZE(hk_activity, 32);
    PLACE(hk_activity, rows, 0);
    PLACE(hk_activity, sums, 8);
    PLACE(hk_activity, layer_mean, 16);
    PLACE(hk_activity, network_mean, 24);
}

enum { KERNELS = 16 * HK_ISA_COUNT }; /* bytes of a table of them */

static void activation_layout(void)
{
    SIZE(hk_activation, 56 + KERNELS);
    PLACE(hk_activation, reads, 0);
    PLACE(hk_activation, traits, 4);
    PLACE(hk_activation, aux_floats, 8);
    PLACE(hk_activation, n_sums, 12);
    PLACE(hk_activation, kernels, 16);
    PLACE(hk_activation, channels_out, 16 + KERNELS);
    PLACE(hk_activation, update, 24 + KERNELS);
    PLACE(hk_activation, value, 32 + KERNELS);
    PLACE(hk_activation, slope, 40 + KERNELS);
    PLACE(hk_activation, gradient, 48 + KERNELS);
}

static void moments_layout(void)
{
    SIZE(hk_moments, 24);
    PLACE(hk_moments, rows, 0);
    PLACE(hk_moments, mean, 8);
    PLACE(hk_moments, m2, 16);
}

static void normalization_layout(void)
{
    SIZE(hk_normalization, 56 + KERNELS);
    PLACE(hk_normalization, domain, 0);
    PLACE(hk_normalization, n_coef, 8);
    PLACE(hk_normalization, coefficients, 16);
    PLACE(hk_normalization, frozen, 24);
    PLACE(hk_normalization, gradient, 32);
    PLACE(hk_normalization, update, 40);
    PLACE(hk_normalization, kernels, 48);
    PLACE(hk_normalization, aux_floats, 48 + KERNELS);
}

static void weight_layout(void)
{
    SIZE(hk_weight, 96);
    PLACE(hk_weight, rows, 0);
    PLACE(hk_weight, columns, 8);
    PLACE(hk_weight, kernel, 16);
    PLACE(hk_weight, fan_in, 24);
    PLACE(hk_weight, fan_out, 32);
    PLACE(hk_weight, first, 40);
    PLACE(hk_weight, count, 48);
    PLACE(hk_weight, gain, 56);
    PLACE(hk_weight, first_layer, 64);
    PLACE(hk_weight, key, 72);
    PLACE(hk_weight, w, 80);
    PLACE(hk_weight, bias, 88);
}

static void initializer_layout(void)
{
    SIZE(hk_initializer, 16);
    PLACE(hk_initializer, traits, 0);
    PLACE(hk_initializer, fill, 8);
}

static void plugin_layout(void)
{
    SIZE(hk_plugin, 112);
    PLACE(hk_plugin, kind, 0);
    PLACE(hk_plugin, size, 4);
    PLACE(hk_plugin, name, 8);
    PLACE(hk_plugin, aliases, 16);
    PLACE(hk_plugin, summary, 24);
    PLACE(hk_plugin, formula, 32);
    PLACE(hk_plugin, source, 40);
    PLACE(hk_plugin, tags, 48);
    PLACE(hk_plugin, params, 56);
    PLACE(hk_plugin, slots, 64);
    PLACE(hk_plugin, start, 72);
    PLACE(hk_plugin, activation, 80);
    PLACE(hk_plugin, normalization, 88);
    PLACE(hk_plugin, initializer, 96);
    PLACE(hk_plugin, model, 104);
}

static void model_layout(void)
{
    SIZE(hk_recipe, 56);
    PLACE(hk_recipe, data, 0);
    PLACE(hk_recipe, most, 8);
    PLACE(hk_recipe, optimizer, 16);
    PLACE(hk_recipe, schedule, 24);
    PLACE(hk_recipe, augment, 32);
    PLACE(hk_recipe, epochs, 40);
    PLACE(hk_recipe, batch, 44);
    PLACE(hk_recipe, least_steps, 48);
    PLACE(hk_recipe, is_adapted, 52);
    SIZE(hk_model, 40);
    PLACE(hk_model, build, 0);
    PLACE(hk_model, height, 8);
    PLACE(hk_model, width, 12);
    PLACE(hk_model, channels, 16);
    PLACE(hk_model, smallest, 20);
    PLACE(hk_model, parameters, 24);
    PLACE(hk_model, recipes, 32);
}

/* What models hand to the layer functions by value. */
static void layer_layout(void)
{
    SIZE(hk_conv_options, 80);
    PLACE(hk_conv_options, init, 40);
    PLACE(hk_conv_options, name, 64);
    SIZE(hk_linear_options, 56);
    PLACE(hk_linear_options, name, 40);
    SIZE(hk_act_options, 24);
    SIZE(hk_norm_options, 24);
    SIZE(hk_pool_options, 32);
    SIZE(hk_window, 20);
    SIZE(hk_shape, 72);
}

static void bundle_layout(void)
{
    SIZE(hk_bundle, 24);
    PLACE(hk_bundle, magic, 0);
    PLACE(hk_bundle, major, 4);
    PLACE(hk_bundle, minor, 6);
    PLACE(hk_bundle, size, 8);
    PLACE(hk_bundle, count, 12);
    PLACE(hk_bundle, plugins, 16);
}

int main(void)
{
    RUN(version);
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
